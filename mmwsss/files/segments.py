"""Segments of photos without a class, on disk: the one reader of them all.

``<name of the photo>.json`` is what SAM's automatic mask generator writes: a
list of objects whose ``segmentation`` holds run lengths (COCO's RLE). They may
overlap. ``<name of the photo>.png`` has the number of a segment at each pixel,
from 1 on, and 0 where there is none.
"""
import io
import os
import os.path as osp
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

import numpy as np
import torch
from PIL import Image

from mmwsss.ops import Segments
from mmwsss.problems import DataError, Problems, one_line

from .atomic import write_atomically
from .coco_json import MOST_PIXELS, read_size
from .digests import folder_digest
from .json_files import read_json, write_json
from .masks import index_problem
from .run_lengths import read_run_lengths, run_lengths
from .work_size import work_size

SUFFIXES = ('.json', '.png')
MOST_SEGMENTS = 65_535
"""Segments of a photo, which 16 bits tell apart."""
MOST_BYTES = 2**26  # of a file
# Pixels of all segments of a photo together; with 64 bits each they take 1
# GiB.
MOST_PAIRS = 2**26
_AGAIN = 'remove it and run tools/extract_segments.py again'


def segments_digest(folder: str) -> str:
    """A digest of all segments in a folder.

    Args:
        folder (str): The folder.

    Raises:
        DataError: If there is no such folder.
    """
    if not osp.isdir(folder):
        raise DataError(f'{folder}: no such folder of segments; '
                        f'{_how(folder)}')
    return folder_digest(folder, SUFFIXES)


def require_segments(folder: str, names: Iterable[str]) -> None:
    """Raise unless there are segments of all photos; nothing is read.

    Args:
        folder (str): Where they lie.
        names (Iterable[str]): What the photos are called.

    Raises:
        DataError: If a file is missing, or there are two for a photo.
    """
    found = set(os.listdir(folder)) if osp.isdir(folder) else set()
    problems = Problems('segments')
    for name in names:
        _choose(folder, name, [name + suffix for suffix in SUFFIXES
                               if name + suffix in found], problems)
    problems.raise_if_any()


def read_segments(folder: str, name: str, size: Sequence[int]) -> Segments:
    """The segments of a photo.

    Args:
        folder (str): Where the files lie.
        name (str): What the photo is called, without extension.
        size (Sequence[int]): Height and width at which they are needed: those
            of the photo, or of the photo made smaller. Each pixel takes the
            nearest one.

    Returns:
        Segments: Of an image of that size; some may be without a pixel.

    Raises:
        DataError: If the file is missing, damaged or too large, or belongs to
            a photo of another size.
    """
    problems = Problems('segments')
    path = _choose(folder, name, [
        name + suffix for suffix in SUFFIXES
        if osp.isfile(osp.join(folder, name + suffix))], problems)
    problems.raise_if_any()
    height, width = size
    if osp.getsize(path) > MOST_BYTES:
        raise DataError(f'{path}: {osp.getsize(path):,} bytes, the limit is '
                        f'{MOST_BYTES:,}; make fewer segments')
    read = _read_masks if path.endswith('.json') else _read_labels
    return read(path, (height, width))


def write_labels(path: str, labels: np.ndarray) -> None:
    """Write segments that do not overlap.

    Args:
        path (str): A ``.png``.
        labels (np.ndarray): 1..S, and 0 where there is none, integer, (H, W).

    Raises:
        DataError: If there are more than ``MOST_SEGMENTS``.
    """
    if labels.max() > MOST_SEGMENTS:
        raise DataError(f'{path}: {labels.max():,} segments, but '
                        f'{MOST_SEGMENTS:,} are the most; make larger ones')
    buffer = io.BytesIO()
    Image.fromarray(labels.astype(np.uint16)).save(buffer, format='PNG')
    write_atomically(path, buffer.getvalue())


def write_masks(path: str, masks: Iterable[np.ndarray],
                scores: Iterable[float]) -> None:
    """Write segments that may overlap, as SAM's mask generator does.

    Args:
        path (str): A ``.json``.
        masks (Iterable[np.ndarray]): Of each segment, bool, (H, W).
        scores (Iterable[float]): How sure the network is of each.
    """
    entries: List[Dict[str, Any]] = [
        dict(segmentation=dict(size=list(mask.shape),
                               counts=run_lengths(mask)),
             area=int(mask.sum()), predicted_iou=float(score))
        for mask, score in zip(masks, scores)]
    write_json(path, entries, indent=None)


def _how(folder: str) -> str:
    return f'make it with tools/extract_segments.py PHOTOS --out {folder}'


def _choose(folder: str, name: str, files: List[str],
            problems: Problems) -> str:
    """The file of a photo; a problem unless there is one."""
    paths = [osp.join(folder, file) for file in files]
    if not paths:
        problems.add(f'{osp.join(folder, name)}.json or .png: no such file of '
                     f'segments; {_how(folder)}')
    elif len(paths) > 1:
        problems.add(f'{paths[0]}: there is {paths[1]}, too; remove one')
    return paths[0] if paths else ''


def _read_labels(path: str, size: Tuple[int, int]) -> Segments:
    """Segments of a ``.png``."""
    try:
        with Image.open(path, formats=('PNG', )) as image:
            problem = index_problem(image)
            if problem is None:
                rows, columns = _sampled(path, image.size[::-1], size)
                labels = np.asarray(image).astype(np.int64)
    except DataError:
        raise
    except Exception as error:  # a damaged file can raise nearly anything
        raise DataError(f'{path}: segments cannot be read '
                        f'({one_line(error)}); {_AGAIN}') from error
    if problem is not None:
        raise DataError(f'{path}: {problem}')
    if not 0 <= labels.min() <= labels.max() <= MOST_SEGMENTS:
        raise DataError(f'{path}: numbers from {labels.min()} to '
                        f'{labels.max()}, but those of segments are 1 to '
                        f'{MOST_SEGMENTS}, 0 for none; {_AGAIN}')
    return Segments.of_labels(torch.from_numpy(labels[rows[:, None], columns]))


def _read_masks(path: str, size: Tuple[int, int]) -> Segments:
    """Segments of a ``.json``."""
    outlines = _outlines(path)
    if not outlines:
        none = torch.zeros(0, dtype=torch.int64)
        return Segments(none, none, 0)
    own = _own_size(path, outlines[0])
    rows, columns = _sampled(path, own, size)
    # Where the pixels that are needed stand in the runs, column by column.
    places = (columns[:, None] * own[0] + rows).ravel()
    parts: List[np.ndarray] = []
    total = 0
    for number, outline in enumerate(outlines, start=1):
        try:
            ends = np.cumsum(read_run_lengths(outline, own))
        except ValueError as error:
            raise DataError(f'{path}: segment {number}: {error}; {_AGAIN}'
                            ) from error
        # Of each run of 0 and each run of 1, how many places lie before it.
        edges = np.searchsorted(places, ends)
        edges = edges[:len(edges) // 2 * 2].reshape(-1, 2)
        lengths = edges[:, 1] - edges[:, 0]
        total += int(lengths.sum())
        if total > MOST_PAIRS:
            raise DataError(
                f'{path}: more than {MOST_PAIRS:,} pixels in its segments; '
                'make fewer segments, or set max_side in the config')
        first = edges[:, 0] - (lengths.cumsum() - lengths)
        parts.append(np.arange(lengths.sum()) + np.repeat(first, lengths))
    column, row = np.divmod(np.concatenate(parts), size[0])
    owners = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return Segments(torch.from_numpy(owners),
                    torch.from_numpy(row * size[1] + column), len(parts))


def _outlines(path: str) -> List[Any]:
    """What stands for the run lengths of each segment, unchecked."""
    content = read_json(path)
    if not isinstance(content, list) or not all(
            isinstance(one, dict) and 'segmentation' in one
            for one in content):
        raise DataError(f"{path}: no list of {{'segmentation': ...}}, as "
                        "SAM's automatic mask generator writes it; "
                        f'{_AGAIN}')
    if len(content) > MOST_SEGMENTS:
        raise DataError(f'{path}: {len(content):,} segments, but '
                        f'{MOST_SEGMENTS:,} are the most; make fewer')
    return [one['segmentation'] for one in content]


def _own_size(path: str, outline: Any) -> Tuple[int, int]:
    """Height and width that a file's first segment has."""
    sides = outline.get('size') if isinstance(outline, dict) else None
    size: Optional[Tuple[int, int]] = None
    if isinstance(sides, list) and len(sides) == 2:
        size = read_size(*sides)
    if size is None:
        raise DataError(f'{path}: segment 1: no run lengths (RLE) with the '
                        f'size of a photo, of at most {MOST_PIXELS} pixels; '
                        f'{_AGAIN}')
    return size


def _sampled(path: str, own: Sequence[int], size: Tuple[int, int]
             ) -> Tuple[np.ndarray, np.ndarray]:
    """Which rows and columns of a file of one size make another."""
    if work_size(own, max(size)) != size:
        raise DataError(f'{path}: segments of a photo of {own[0]} x '
                        f'{own[1]}, but {size[0]} x {size[1]} are needed; '
                        f'{_AGAIN}')
    rows, columns = ((2 * np.arange(side) + 1) * whole // (2 * side)
                     for side, whole in zip(size, own))
    return rows, columns
