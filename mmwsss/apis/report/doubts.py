"""Labels that photos contradict, as pictures."""
import os.path as osp
from types import MappingProxyType
from typing import List, Mapping, Sequence, Tuple

from mmwsss.files.photos import image_name, read_photo
from mmwsss.parallel.progress import in_threads
from mmwsss.problems import DataError
from mmwsss.visualization.report import photo_uri

MOST = 60
"""How many are shown."""


def doubt_pictures(rows: Sequence[dict],
                   photos: Mapping[str, str] = MappingProxyType({})
                   ) -> List[Tuple[str, str, List[str]]]:
    """The first labels of a list, each with its photo.

    Args:
        rows (Sequence[dict]): ``image``, ``path``, ``class``, ``tagged``,
            ``probability`` and ``doubt``, the most doubtful first.
        photos (Mapping[str, str]): Name of a photo -> where it lies now,
            which counts more than ``path``. Defaults to none.

    Returns:
        list[tuple]: Picture as a data URI ('' where the photo is gone), what
        it shows, and lines to stand below.
    """
    shown = [dict(row, path=photos.get(image_name(str(row.get('image', ''))),
                                       row.get('path', '')))
             for row in rows[:MOST]]
    return list(in_threads(_picture, shown, 'Doubtful labels', len(shown)))


def _picture(row: dict) -> Tuple[str, str, List[str]]:
    name, label = str(row.get('image', '')), str(row.get('class', ''))
    try:
        uri = photo_uri(read_photo(str(row.get('path', '')), lenient=True))
    except DataError:
        uri = ''
    says = ('labelled, but the network does not see it' if row.get('tagged')
            else 'not labelled, but the network sees it')
    probability = float(row.get('probability') or 0)
    return uri, f'{name}, is there {label} on it?', [
        osp.basename(name), f'{label}: {says}',
        f'probability {100 * probability:.0f} %']
