"""Digests of files."""
import hashlib
import os
from functools import lru_cache


def file_digest(path: str) -> str:
    """SHA-256 of the content of a file, 16 hexadecimal digits.

    A file that has not changed is read once a process.

    Args:
        path (str): The file.
    """
    stat = os.stat(path)
    return _digest_of_state(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=256)
def _digest_of_state(path: str, size: int, changed: int) -> str:
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()[:16]
