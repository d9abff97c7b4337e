"""Which files of a finished step are gone or cut short since."""
from concurrent.futures import ThreadPoolExecutor
from itertools import compress
from typing import Any, Callable, Dict, List, Sequence

from mmwsss.problems import DataError

from .json_files import read_json
from .maps import map_size
from .png_chunks import png_damage


def lost_files(paths: Sequence[str], num_threads: int = 4) -> List[str]:
    """Those of the files of a run that are not there, or not whole.

    No pixel is decoded: a PNG is judged by its checksums, maps by the end of
    the file, so that 10,000 photos take seconds.

    Args:
        paths (Sequence[str]): Masks (``.png``), maps (``.npz``) and
            ``.json`` files.
        num_threads (int): Readers that work at the same time. Defaults to 4.

    Returns:
        list[str]: In the order of ``paths``.
    """
    with ThreadPoolExecutor(num_threads) as pool:
        return list(compress(paths, pool.map(_is_lost, paths)))


def _is_lost(path: str) -> bool:
    try:
        _LOOKS[path[path.rindex('.'):]](path)
    except (OSError, DataError):
        return True
    return False


def _look_at_png(path: str) -> None:
    with open(path, 'rb') as file:
        damage = png_damage(file)
    if damage is not None:
        raise DataError(f'{path}: {damage}')


_LOOKS: Dict[str, Callable[[str], Any]] = {
    '.png': _look_at_png, '.npz': map_size, '.json': read_json}
