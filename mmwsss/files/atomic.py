"""Writing files that appear whole or not at all, where one may write."""
import io
import os
import os.path as osp
from typing import Any, Dict, Union

import numpy as np

from mmwsss.problems import ConfigError, DataError


def write_atomically(path: str, content: bytes) -> None:
    """Write a file under a temporary name, then rename it.

    The name carries the process id, so that two processes that write the same
    file cannot mix their bytes.

    Args:
        path (str): The file; folders that are missing are made.
        content (bytes): All of it.

    Raises:
        DataError: If it cannot be written, as when the disk is full.
    """
    temporary = f'{path}.{os.getpid()}.tmp'
    try:
        os.makedirs(osp.dirname(osp.abspath(path)), exist_ok=True)
        with open(temporary, 'wb') as file:
            file.write(content)
        os.replace(temporary, path)
    except OSError as error:
        raise DataError(f'{path}: cannot be written ({error.strerror}). What '
                        'is finished is whole; make room and run the same '
                        'command again') from error
    finally:
        if osp.exists(temporary):
            os.remove(temporary)


def write_npz(path: str, **arrays: np.ndarray) -> None:
    """Write an uncompressed ``.npz``.

    Args:
        path (str): Where to write, with the extension.
        **arrays (np.ndarray): By the name that each has in the file.
    """
    named: Dict[str, Any] = arrays  # none is an option of savez
    buffer = io.BytesIO()
    np.savez(buffer, **named)
    write_atomically(path, buffer.getvalue())


def require_writable(folder: str) -> str:
    """Make a folder and check that files can be written to it.

    Args:
        folder (str): Its path; those above it are made as well. ``~`` is the
            home folder.

    Returns:
        str: The path, with the home folder put in.

    Raises:
        ConfigError: If not, naming the folder.
    """
    folder = osp.expanduser(folder)
    probe = osp.join(folder, f'.write_test.{os.getpid()}')
    try:
        os.makedirs(folder, exist_ok=True)
        with open(probe, 'w'):
            pass
        os.remove(probe)
    except OSError as error:
        raise ConfigError(f'{folder}: cannot be written to ({error.strerror});'
                          ' choose another folder') from error
    return folder


def require_writable_file(path: Union[str, os.PathLike[str]]) -> str:
    """Make the folder of an output file and check that it can be written to.

    Args:
        path (str | PathLike): The file to write; ``~`` is the home folder.

    Returns:
        str: ``path``, with the home folder put in.

    Raises:
        DataError: If not, naming the folder.
    """
    path = osp.expanduser(os.fspath(path))
    folder = osp.dirname(path) or '.'
    if osp.isdir(path):
        raise DataError(f'{path}: is a folder; name a file')
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise DataError(f'{folder}: cannot be made ({error}); choose another '
                        'place for the output') from error
    if not os.access(folder, os.W_OK):
        raise DataError(f'{folder}: cannot be written to; choose another '
                        'place for the output')
    return path
