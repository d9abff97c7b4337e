"""Folders that change as a whole."""
import os
import os.path as osp
import shutil
from contextlib import contextmanager
from typing import Iterator

from .atomic import temporary_name, unwritten


@contextmanager
def replaced_folder(target: str) -> Iterator[str]:
    """A new folder that takes the place of an old one when it is finished.

    What is killed on the way leaves the old folder as it was, so that files of
    two runs are never mixed in it.

    Args:
        target (str): The folder to replace; it need not be there.

    Yields:
        str: Path of an empty folder beside it, see
        :func:`~mmwsss.files.atomic.temporary_name`.

    Raises:
        DataError: If the folder cannot be made or moved.
    """
    new = temporary_name(target)
    try:
        try:
            os.makedirs(new)
        except OSError as error:
            raise unwritten(target, error) from error
        yield new
        _swap(new, target)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _swap(new: str, target: str) -> None:
    old = new[:-len('.tmp')] + '.old.tmp'
    for last in (False, ) * 9 + (True, ):
        try:
            if osp.isdir(target):
                os.rename(target, old)
            os.rename(new, target)
            break
        except OSError as error:
            # Another process may have put its own folder there meanwhile.
            if last or not osp.isdir(new):
                raise unwritten(target, error) from error
            shutil.rmtree(old, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
