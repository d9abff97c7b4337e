"""What became of single photos: their IoU, and in which way masks fail."""
from typing import Dict, List, Mapping, Optional, Sequence, Set

import numpy as np
from scipy import ndimage

from mmwsss.files.masks import IGNORED

FAILURES = {
    'missed': 'Missed: less than a quarter of the object is in the mask.',
    'too large': 'Too large: the object is found, but more than half of the '
    'mask lies on the background.',
    'wrong class': 'Wrong class: more than a quarter of the object has the '
    "colour of another class, or half of the mask lies on another class' "
    'object.',
    'merged': 'Merged: one piece of the mask covers several separate '
    'objects of the class.',
}
"""Name of a failure -> when a photo has it."""
SIGNS = {
    'labelled, not in the mask': 'Labelled, not in the mask: the labels name '
    'the class, and less than 0.2 % of the photo has its colour.',
    'in the mask, not labelled': 'In the mask, not labelled: at least 0.2 % '
    'of the photo has the colour of a class that the labels do not name.',
    'nearly the whole photo': 'Nearly the whole photo: the mask of one class '
    'covers more than 90 % of it.',
}
"""Signs that a mask is wrong, which need no true mask: name -> when a photo
has it."""
_MISSED, _WRONG, _HALF = 0.25, 0.25, 0.5
_SMALLEST = 0.002  # share of a photo below which a piece does not count
_NEARLY_ALL = 0.9

Counts = List[List[int]]
"""``[class in the mask, true class, pixels]``; the true class of photos
without a true mask is -1."""


def photo_counts(mask: np.ndarray, truth: Optional[np.ndarray]) -> Counts:
    """Pixels of a photo by what the mask says and what is true.

    Args:
        mask (np.ndarray): 0 background, 1..C, 255 unknown, (H, W).
        truth (np.ndarray, optional): The same of the true mask; its unknown
            pixels are left out.

    Returns:
        list: See ``Counts``; pairs that do not occur are left out.

    Example:
        >>> photo_counts(np.array([[0, 1]]), np.array([[0, 0]]))
        [[0, 0, 1], [1, 0, 1]]
    """
    pairs = mask.astype(np.int64).ravel()
    if truth is None:
        return [[value, -1, count] for value, count in _nonzero(pairs)]
    known = truth.ravel() != IGNORED
    pairs = pairs[known] * 256 + truth.ravel()[known]
    return [[*divmod(value, 256), count] for value, count in _nonzero(pairs)]


def _nonzero(values: np.ndarray) -> List[List[int]]:
    """Each value and how often it occurs."""
    counts = np.bincount(values)
    present = counts.nonzero()[0]
    return np.stack([present, counts[present]], 1).tolist()


def merged_classes(mask: np.ndarray, truth: np.ndarray) -> List[int]:
    """Classes of which one piece of the mask covers several true pieces.

    Args:
        mask (np.ndarray): 0 background, 1..C, 255 unknown, (H, W).
        truth (np.ndarray): The same of the true mask. Specks count neither
            here nor there.
    """
    found = []
    for index in np.unique(truth):
        if index in (0, IGNORED) or not (mask == index).any():
            continue
        # Objects touch where only an unknown border parts them.
        objects, _ = ndimage.label(truth == index)
        pieces, _ = ndimage.label(mask == index)
        size = int(objects.max()) + 1
        shared = np.bincount(
            (pieces * size + objects).ravel(),
            minlength=(int(pieces.max()) + 1) * size).reshape(-1, size)
        covered = shared[1:, 1:] > _SMALLEST * mask.size
        if (covered.sum(1) > 1).any():
            found.append(int(index))
    return found


def class_ious(counts: Counts) -> Dict[int, float]:
    """IoU of the classes, without background, that a photo shows.

    Args:
        counts (list): See ``Counts``, with true classes.

    Returns:
        dict: Class that is in the mask or true -> IoU in per cent. Pixels
        that the mask leaves open are left out.
    """
    ious = {}
    for index in _foreground(counts):
        hits, mask, truth = _areas(counts, index)
        ious[index] = round(100 * hits / (mask + truth - hits), 1)
    return ious


def failures(counts: Counts, merged: Sequence[int] = ()
             ) -> Dict[int, List[str]]:
    """In which ways the masks of a photo's classes fail.

    Args:
        counts (list): See ``Counts``, with true classes.
        merged (Sequence[int]): From :func:`merged_classes`.

    Returns:
        dict: Class -> names, see ``FAILURES``; classes without are left out.
    """
    found = {}
    for index in _foreground(counts):
        hits, mask, truth = _areas(counts, index)
        others = sum(count for one, true, count in counts if true == index
                     and one not in (0, index, IGNORED))
        elsewhere = sum(count for one, true, count in counts
                        if one == index and true not in (0, index))
        background = mask - hits - elsewhere
        names = {
            'missed': truth > 0 and hits < _MISSED * truth,
            'too large': hits > _HALF * truth and background > _HALF * mask,
            'wrong class': (others > _WRONG * truth > 0
                            or elsewhere > _HALF * mask > 0),
            'merged': index in merged,
        }
        if any(names.values()):
            found[index] = [name for name, has in names.items() if has]
    return found


def shown_classes(areas: Mapping[int, float]) -> Set[int]:
    """Classes, without background, of which a mask has more than specks.

    Args:
        areas (Mapping): Class in the mask -> share of the photo in per cent.

    Example:
        >>> shown_classes({0: 60., 2: 39.9, 3: 0.1})
        {2}
    """
    return {index for index, area in areas.items()
            if index not in (0, IGNORED) and area >= 100 * _SMALLEST}


def signs(areas: Mapping[int, float], labels: Optional[Sequence[int]]
          ) -> Dict[int, List[str]]:
    """What makes a mask doubtful, without a true mask to compare it with.

    Args:
        areas (Mapping): Class in the mask -> share of the photo in per cent.
        labels (Sequence[int], optional): Classes that the labels of the
            photo name, 1..C; None where they are not known.

    Returns:
        dict: Class -> names, see ``SIGNS``; classes without are left out.
    """
    shown = shown_classes(areas)
    found = {}
    for index in sorted(shown.union(labels or ())):
        has = (index not in shown,
               labels is not None and index not in labels,
               areas.get(index, 0) > 100 * _NEARLY_ALL)
        names = [name for name, one in zip(SIGNS, has) if one]
        if names:
            found[index] = names
    return found


def _foreground(counts: Counts) -> List[int]:
    """Classes that are in the mask or true."""
    return sorted({one for mask, truth, _ in counts for one in (mask, truth)
                   if one not in (-1, 0, IGNORED)})


def _areas(counts: Counts, index: int) -> List[int]:
    """Pixels of a class that are right, in the mask, true."""
    known = [(mask == index, truth == index, count)
             for mask, truth, count in counts if mask != IGNORED]
    return [sum(count for mask, truth, count in known if mask and truth),
            sum(count for mask, _, count in known if mask),
            sum(count for _, truth, count in known if truth)]


def confusion(photos: Sequence[Counts], count: int) -> np.ndarray:
    """The confusion matrix over photos.

    Args:
        photos (Sequence): ``Counts`` of each, with true classes.
        count (int): Classes, background included.

    Returns:
        np.ndarray: Pixels, int64, (count, count + 1): true class, class in
        the mask; the last column is what masks leave open.
    """
    matrix = np.zeros((count, count + 1), dtype=np.int64)
    for counts in photos:
        for mask, truth, number in counts:
            if truth >= 0:
                matrix[truth, count if mask == IGNORED else mask] += number
    return matrix
