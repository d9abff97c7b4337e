"""Looking at a pickle, and at its archive, before anything is made of it."""
import codecs
import os
import pickle
import pickletools
import zipfile
from typing import IO

_ROOM = 64 * 2**20  # bytes that any file may unpack to
# These make bytes of bytes, so that a chain of them grows without bound.
_GROWING = {'hex', 'base64', 'quopri', 'uu', 'zlib', 'bz2', 'rot13'}


def check_pickle(path: str) -> None:
    """Raise for a ``.pth`` that would take much more memory than its size.

    What its pickle asks for beside that is judged by the reader.

    Args:
        path (str): An archive or an old file that ``torch.save`` wrote.

    Raises:
        pickle.UnpicklingError: If it is a bomb, or no pickle at all.
        zipfile.BadZipFile: If the archive is damaged.
    """
    if not zipfile.is_zipfile(path):
        with open(path, 'rb') as file:
            # Magic number, version, system, content; then storages.
            for _ in range(4):
                _scan(file)
        return
    size = os.path.getsize(path)
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        unpacked = sum(entry.file_size for entry in entries)
        if unpacked > 2 * size + _ROOM:
            raise pickle.UnpicklingError(
                f'{size:,} bytes that unpack to {unpacked:,}')
        for entry in entries:
            if entry.filename.endswith('/data.pkl'):
                with archive.open(entry) as content:
                    _scan(content)


def _scan(file: IO[bytes]) -> None:
    """Read one pickle without following it."""
    encodes, growing = False, ''
    for operation, value, _ in pickletools.genops(file):
        if not isinstance(value, str):
            continue
        if operation.name in ('GLOBAL', 'STACK_GLOBAL'):
            encodes |= value == '_codecs encode'
        elif len(value) < 20 and _codec(value) in _GROWING:
            growing = value
    if encodes and growing:
        raise pickle.UnpicklingError(f'the codec {growing}')


def _codec(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        return ''
