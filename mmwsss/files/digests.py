"""Digests of files."""
import hashlib
import os
import os.path as osp
from functools import lru_cache
from typing import Any, Sequence, Tuple


def file_digest(path: str) -> str:
    """SHA-256 of the content of a file, 16 hexadecimal digits.

    A file that has not changed is read once a process.

    Args:
        path (str): The file.
    """
    stat = os.stat(path)
    return _digest_of_state(path, stat.st_size, stat.st_mtime_ns)


def folder_digest(folder: str, suffixes: Sequence[str]) -> str:
    """SHA-256 of the names and contents of files, 16 hexadecimal digits.

    Files that have not changed are read once a process.

    Args:
        folder (str): Where they lie; not in subfolders. Hidden files do not
            count.
        suffixes (Sequence[str]): How their names end.
    """
    states = []
    for entry in os.scandir(folder):
        if entry.name.endswith(tuple(suffixes)) and (
                not entry.name.startswith('.') and entry.is_file()):
            stat = entry.stat()
            states.append((entry.name, stat.st_size, stat.st_mtime_ns))
    return _digest_of_states(folder, tuple(sorted(states)))


@lru_cache(maxsize=8)
def _digest_of_states(folder: str,
                      states: Tuple[Tuple[str, int, int], ...]) -> str:
    digest = hashlib.sha256()
    for name, size, _ in states:
        digest.update(os.fsencode(name) + f'/{size}/'.encode())
        _add_content(digest, osp.join(folder, name))
    return digest.hexdigest()[:16]


@lru_cache(maxsize=256)
def _digest_of_state(path: str, size: int, changed: int) -> str:
    digest = hashlib.sha256()
    _add_content(digest, path)
    return digest.hexdigest()[:16]


def _add_content(digest: Any, path: str) -> None:
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
