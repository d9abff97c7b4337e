"""The photos of a report, with maps, masks and truth."""
import os.path as osp
from functools import partial
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

from mmwsss.evaluation.photo_scores import FAILURES, SIGNS
from mmwsss.files.maps import read_map
from mmwsss.files.masks import read_mask
from mmwsss.files.photos import image_name, read_photo
from mmwsss.parallel.progress import in_threads
from mmwsss.problems import DataError
from mmwsss.visualization.report import (
    Gallery,
    map_uri,
    mask_uri,
    photo_uri,
)

from ..generation import evenly
from ..photo_records import PhotoRecord, PhotoRecords
from .runs import Part

MOST_MASKS = 3000
"""Masks in a report at most, so that it stays below some 30 MB."""
MOST_PHOTOS = 1500
"""The same of photos."""

Entry = Dict[int, PhotoRecord]  # by part, what its mask of the photo is like


def gallery(parts: Sequence[Tuple[str, Part]],
            doubts: Sequence[dict] = (),
            opening: Optional[Part] = None) -> Optional[Gallery]:
    """The photos of some parts, those of one file together.

    Args:
        parts (Sequence[tuple]): Title and part; those without records, or
            with other classes than the first, are left out.
        doubts (Sequence[dict]): Labels that photos contradict.
        opening (Part, optional): Whose masks are shown first. Defaults to
            None: the last part's.

    Returns:
        Gallery, optional: None if there is no photo.
    """
    found = [(title, part, part.records) for title, part in parts
             if part.records is not None and part.records.photos]
    if not found:
        return None
    first = found[0][2]
    found = [one for one in found if one[2].classes == first.classes]
    photos: Dict[str, Entry] = {}
    for index, (_, _, records) in enumerate(found):
        for photo in records.photos:
            photos.setdefault(photo.photo, {})[index] = photo
    entries = _chosen(list(photos.values()),
                      min(MOST_PHOTOS, MOST_MASKS // len(found)))
    note = '' if len(entries) == len(photos) else (
        f'Of {len(photos):,} photos {len(entries):,} are here: two thirds '
        'are those with the lowest IoU, the others are spread evenly.')
    doubt: Dict[str, float] = {}
    for row in doubts:
        name = image_name(str(row.get('image', '')))
        doubt[name] = max(doubt.get(name, 0.), float(row.get('doubt', 0)))
    work = partial(_pictures, [part for _, part, _ in found],
                   [records for _, _, records in found], doubt)
    pictures = list(in_threads(work, entries, 'Report', len(entries)))
    scored = any(photo['truth'] for photo in pictures)
    shown = [index for index, (_, part, _) in enumerate(found)
             if part is opening]
    return Gallery(first.classes, first.palette,
                   [title for title, _, _ in found], pictures,
                   {**(FAILURES if scored else {}), **SIGNS}, note,
                   shown[0] if shown else len(found) - 1)


def _chosen(entries: List[Entry], most: int) -> List[Entry]:
    """The worst ones and, spread evenly, some of the others."""
    if len(entries) <= most:
        return entries

    def worst(entry: Entry) -> float:
        scores = [photo.score for photo in entry.values()]
        return min((score for score in scores if score is not None),
                   default=100.)

    ordered = sorted(entries, key=worst)
    count = most * 2 // 3
    others = ordered[count:]
    return ordered[:count] + [
        others[i] for i in evenly(len(others), most - count)]


def _pictures(stages: Sequence[Part], parts: Sequence[PhotoRecords],
              doubt: Dict[str, float], entry: Entry) -> Dict[str, Any]:
    """What the page shows of a photo, of files that can be read."""
    first = next(iter(entry.values()))
    records = parts[next(iter(entry))]
    truth = None
    if first.truth is not None and osp.isfile(first.truth):
        try:
            truth = mask_uri(read_mask(first.truth, records.values),
                             records.palette)
        except DataError as error:
            stages[0].damage.note(error, first.truth,
                                  'put the true mask back')
    masks: List[Any] = [None] * len(parts)
    for index, photo in entry.items():
        path = osp.join(parts[index].masks, photo.name + '.png')
        uri = _mask(stages[index], path, records)
        if uri is not None:
            masks[index] = dict(
                uri=uri,
                score=photo.score, ious=photo.ious,
                areas={key: area for key, area in photo.areas.items() if key},
                failures={key: [*photo.failures.get(key, ()),
                                *photo.signs.get(key, ())]
                          for key in photo.failures | photo.signs})
    return dict(name=first.name, photo=_photo(first.photo), truth=truth,
                labels=first.labels, doubt=doubt.get(first.name),
                maps=_maps([(stages[index], osp.join(
                    stages[index].folder, 'maps', photo.name + '.npz'))
                            for index, photo in entry.items()]),
                masks=masks)


def _photo(path: str) -> Optional[str]:
    try:
        return photo_uri(read_photo(path, lenient=True))
    except DataError:  # gone, or changed since
        return None


def _mask(part: Part, path: str, records: PhotoRecords) -> Optional[str]:
    """The picture of a mask, if it can be read."""
    if not osp.isfile(path):
        return None
    try:
        return mask_uri(read_mask(path), records.palette)
    except DataError as error:
        part.leave_out(path, error)
        return None


def _maps(paths: Iterable[Tuple[Part, str]]) -> List[Tuple[int, str]]:
    """Class and picture of each map of the first file that can be read."""
    for part, path in paths:
        if osp.isfile(path):
            try:
                file = read_map(path)
            except DataError as error:
                part.leave_out(path, error)
                continue
            return [(int(label) + 1, map_uri(one))
                    for label, one in zip(file.labels, file.maps)]
    return []
