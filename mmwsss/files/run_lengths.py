"""COCO's run lengths (RLE): which pixels a region has, column by column."""
import reprlib
from typing import Any, List, Sequence

import numpy as np

# Of a packed run length; an image has far fewer pixels than these count.
_MOST_BITS = 60


def read_run_lengths(outline: Any, size: Sequence[int]) -> List[int]:
    """Checked run lengths; pycocotools checks little of them.

    Args:
        outline: What stands in the file: a dict with ``size`` and ``counts``,
            numbers or COCO's packed text.
        size (Sequence[int]): Height and width of the image in pixels.

    Returns:
        list[int]: Lengths of the runs of 0 and 1 in turn, column by column;
        they add up to the pixels of the image.

    Raises:
        ValueError: If they are none, or those of another image.
    """
    if not isinstance(outline, dict) or not {'size', 'counts'} <= set(outline):
        raise ValueError('no run lengths (RLE)')
    if outline['size'] != list(size):
        raise ValueError(f'run lengths (RLE) for {_sides(outline["size"])}, '
                         f'but the image is {size[0]} x {size[1]}')
    counts = outline['counts']
    if isinstance(counts, str):
        counts = _unpack(counts)
    if not isinstance(counts, list) or not all(
            isinstance(count, int) for count in counts):
        raise ValueError('run lengths (RLE) that are no whole numbers')
    pixels = size[0] * size[1]
    if min(counts, default=0) < 0 or sum(counts) != pixels:
        raise ValueError(f'run lengths (RLE) of {sum(counts)} pixels, but the '
                         f'image has {pixels}')
    return counts


def run_lengths(region: np.ndarray) -> List[int]:
    """The run lengths of a region, see :func:`read_run_lengths`.

    Args:
        region (np.ndarray): bool, (H, W).

    Example:
        >>> run_lengths(np.array([[False, True], [True, True]]))
        [1, 3]
        >>> run_lengths(np.array([[True, False]]))
        [0, 1, 1]
    """
    flat = region.T.ravel()
    ends = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    edges = [0, *([0] if flat[:1].any() else []), *ends.tolist(), len(flat)]
    return np.diff(edges).tolist()


def _sides(size: Any) -> str:
    return (' x '.join(map(reprlib.repr, size[:3]))
            if isinstance(size, list) else reprlib.repr(size))


def _unpack(text: str) -> List[int]:
    """COCO's compressed RLE: five bits a character, the lowest first.

    From the third on, a number is the difference from the last but one.
    """
    counts: List[int] = []
    value = shift = 0
    for code in text.encode():
        bits = code - 48
        value |= (bits & 31) << shift
        shift += 5
        if shift > _MOST_BITS:
            raise ValueError('run lengths (RLE) of a damaged text')
        if not bits & 32:  # the last character of the number
            if bits & 16:  # its sign
                value -= 1 << shift
            counts.append(value + (counts[-2] if len(counts) > 2 else 0))
            value = shift = 0
    return counts
