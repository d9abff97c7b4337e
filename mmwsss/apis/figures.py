"""The papers' figure: input, maps, masks and truth of chosen photos."""
import os.path as osp
from typing import Dict, List, Sequence, Tuple

import numpy as np

from mmwsss.files.atomic import require_writable_file
from mmwsss.files.maps import read_map
from mmwsss.files.masks import read_mask
from mmwsss.files.photos import read_photo
from mmwsss.files.work_size import fit_mask, fit_photo, work_size
from mmwsss.problems import ConfigError, DataError, unknown_name
from mmwsss.visualization import (
    PICTURE_SIDE,
    heat_overlay,
    legend,
    mask_overlay,
)
from mmwsss.visualization.figures import FORMATS, Cell, draw_figure

from .photo_records import PhotoRecord, PhotoRecords
from .report.older import find_records
from .report.runs import Part, find_runs

_MOST_MAPS = 3  # of a photo


def write_figure(folders: Sequence[str], ids: Sequence[str], out: str,
                 titles: Sequence[str] = ()) -> None:
    """Draw input, maps, masks of each folder and truth of chosen photos.

    Args:
        folders (Sequence[str]): Result folders, each of one stage, such as
            ``work_dirs/demo/pseudo_val`` and ``work_dirs/demo/test``, with
            masks of the same photos; maps are the first one's.
        ids (Sequence[str]): Names of photos without extension; none takes
            the four with the median IoU of the first folder.
        out (str): The file, ``.pdf``, ``.png`` or ``.webp``.
        titles (Sequence[str]): What stands above the masks of each folder.
            Defaults to none: the folders' names.

    Raises:
        ConfigError: If the ending is another, or titles are too few.
        DataError: If a folder holds no photos, or lacks one.
    """
    if osp.splitext(out)[1][1:].lower() not in FORMATS:
        raise ConfigError(f'--out {out}: end it with one of '
                          f'{FORMATS}')
    if titles and len(titles) != len(folders):
        raise ConfigError(f'--titles: {len(titles)} for {len(folders)} '
                          'folders; give one for each')
    out = require_writable_file(out)
    parts = [_part(folder) for folder in folders]
    photos = [{photo.name: photo for photo in records.photos}
              for _, records in parts]
    ids = ids or _typical(photos[0])
    for name in ids:
        for folder, known in zip(folders, photos):
            if name not in known:
                raise DataError(f'{folder}: {unknown_name("id", name, known)}')
    records = parts[0][1]
    chosen = [[known[name] for known in photos] for name in ids]
    lines = [_line(parts, one) for one in chosen]
    count = max(len(maps) for _, maps, _ in lines)
    blank = np.full((1, 1, 3), 255, np.uint8)
    rows = [[photo, *maps, *[('', blank)] * (count - len(maps)), *masks]
            for photo, maps, masks in lines]
    shown = {index for line in chosen for photo in line
             for index in (*photo.ious, *photo.areas, *(photo.labels or ()))}
    keys = legend(records.classes, records.palette)
    names = titles or [osp.basename(osp.abspath(one)) for one in folders]
    true = any(photo.truth for line in chosen for photo in line)
    columns = ['input', *['map'] * count, *names, *['truth'] * true]
    draw_figure(out, columns, rows,
                [key for index, key in enumerate(keys, 1) if index in shown])


def _line(parts: Sequence[Tuple[Part, PhotoRecords]],
          photos: Sequence[PhotoRecord]
          ) -> Tuple[Cell, List[Cell], List[Cell]]:
    """The photo, its maps, and its masks with the true one at the end."""
    part, records = parts[0]
    photo = photos[0]
    picture = read_photo(photo.photo, lenient=True)
    size = work_size(picture.shape[:2], PICTURE_SIDE)
    picture = fit_photo(picture, size)
    maps = []
    path = osp.join(part.folder, 'maps', photo.name + '.npz')
    if osp.isfile(path):
        file = read_map(path)
        maps = [(records.classes[label + 1], heat_overlay(picture, one))
                for label, one in zip(file.labels[:_MOST_MAPS], file.maps)]

    def over(caption: str, mask: np.ndarray) -> Cell:
        return caption, mask_overlay(picture, fit_mask(mask, size),
                                     records.palette)

    masks = [over(caption(one, own.classes), own.mask(one))
             for (_, own), one in zip(parts, photos)]
    for (_, own), one in zip(parts, photos):
        if one.truth is not None:
            masks.append(over(', '.join(
                own.classes[index] for index in one.labels or one.ious),
                read_mask(one.truth, own.values)))
            break
    return (photo.name, picture), maps, masks


def caption(photo: PhotoRecord, classes: Sequence[str]) -> str:
    """What a percentage is, and that of each class.

    It is the IoU, or without a true mask the share of the photo.

    Args:
        photo (PhotoRecord): Its scores.
        classes (Sequence[str]): Names of all classes.
    """
    values = photo.ious or {index: area for index, area
                            in photo.areas.items() if index}
    shares = ', '.join(f'{classes[index]} {value:.0f} %' for index, value
                       in values.items() if index < len(classes))
    return shares and ('IoU: ' if photo.ious else 'share of the photo: '
                       ) + shares


def _typical(photos: Dict[str, PhotoRecord], count: int = 4) -> List[str]:
    """Photos around the median IoU; the first ones where there is none."""
    scored = sorted((photo.score, name) for name, photo in photos.items()
                    if photo.score is not None)
    if not scored:
        return list(photos)[:count]
    begin = max(0, len(scored) // 2 - count // 2)
    return [name for _, name in scored[begin:begin + count]]


def _part(folder: str) -> Tuple[Part, PhotoRecords]:
    run = find_runs(folder)[0]
    find_records(run)
    part = run.parts[0]
    if part.records is None:
        part.damage.lines.raise_if_any()
    if part.records is None or not part.records.photos:
        raise DataError(f'{folder}: holds no photos.json; name the folder of '
                        'a stage with masks, made by this version')
    return part, part.records
