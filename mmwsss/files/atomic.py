"""Writing files that appear whole or not at all, where one may write."""
import errno
import io
import os
import os.path as osp
import re
import socket
import uuid
from typing import Any, Dict, Union

import numpy as np

from mmwsss.problems import ConfigError, DataError

MACHINE = re.sub(r'[^A-Za-z0-9-]', '-', socket.gethostname())[:40]


def temporary_name(path: str) -> str:
    """Under what name a file is written until it is whole.

    It carries machine, process and a random number, so that no two writers of
    one file mix their bytes, not even on two machines with one folder.

    Args:
        path (str): The file.

    Returns:
        str: A name beside it that ends in ``.tmp``.
    """
    return f'{path}.{MACHINE}.{os.getpid()}.{uuid.uuid4().hex[:8]}.tmp'


def put_in_place(temporary: str, path: str) -> None:
    """Rename a file that is whole; after a power cut it is there, or not.

    Args:
        temporary (str): What was written, see :func:`temporary_name`.
        path (str): Its name from now on; what had it before is replaced.
    """
    with open(temporary, 'rb') as file:
        os.fsync(file.fileno())
    os.replace(temporary, path)
    folder = os.open(osp.dirname(osp.abspath(path)), os.O_RDONLY)
    try:
        os.fsync(folder)
    except OSError:  # some network file systems cannot
        pass
    finally:
        os.close(folder)


def write_atomically(path: str, content: bytes) -> None:
    """Write a file under a temporary name, then rename it.

    Args:
        path (str): The file; folders that are missing are made.
        content (bytes): All of it.

    Raises:
        DataError: If it cannot be written, as when the disk is full.
    """
    temporary = temporary_name(path)
    try:
        os.makedirs(osp.dirname(osp.abspath(path)), exist_ok=True)
        with open(temporary, 'wb') as file:
            file.write(content)
        put_in_place(temporary, path)
    except OSError as error:
        raise unwritten(path, error) from error
    finally:
        if osp.exists(temporary):
            os.remove(temporary)


def unwritten(path: str, error: OSError) -> DataError:
    """The error for what cannot be written, as when the disk is full.

    Args:
        path (str): The file or folder.
        error (OSError): What the system says.
    """
    return DataError(f'{path}: cannot be written ({error.strerror}). What is '
                     f'finished is whole; {remedy_of(error)} and run the same '
                     'command again')


def remedy_of(error: OSError) -> str:
    """What to do before a file is written again.

    Args:
        error (OSError): What the system said of the first time.
    """
    if error.errno == errno.EFBIG:
        return 'allow larger files with "ulimit -f unlimited"'
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return ('allow more open files with "ulimit -n 4096", or use fewer '
                'workers,')
    return 'make room'


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
    probe = osp.join(folder, temporary_name('.write_test'))
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
