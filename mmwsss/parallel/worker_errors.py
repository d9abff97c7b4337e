"""Errors of data loaders' workers in the words in which they were raised."""
import re
from typing import TypeVar

Error = TypeVar('Error', bound=Exception)

# How torch reports what a worker raised; its whole trace follows.
_CAUGHT = re.compile(r'Caught (\w+) in .*\nOriginal Traceback')


def in_own_words(error: Error) -> Error:
    """An error without the trace that torch puts into its message.

    Args:
        error (Exception): Any error.

    Returns:
        Exception: One of the same kind with the message that the worker gave
        it; the error itself if it comes from no worker.
    """
    text = str(error)
    caught = _CAUGHT.match(text)
    if caught is None:
        return error
    starts = list(re.finditer(rf'^(?:\w+\.)*{caught[1]}: ', text, re.M))
    if not starts:
        return error
    return type(error)(text[starts[-1].end():].rstrip())
