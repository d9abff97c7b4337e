"""Limits of the system, for a while."""
import resource
from contextlib import contextmanager


@contextmanager
def limited(kind, value):
    """``kind`` is one of resource.RLIMIT_...; needs no special rights."""
    soft, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (value, hard))
    try:
        yield
    finally:
        resource.setrlimit(kind, (soft, hard))
