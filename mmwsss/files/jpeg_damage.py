"""Damage to a JPEG that decoders pass over; Pillow reports none of it."""
from typing import Optional, Tuple

import numpy as np
import simplejpeg

from .jpeg_limits import impossible_block
from .jpeg_segments import altered_table, without_last_byte

# Grey levels; a smaller step at a seam is left to pass.
_STEP = 8
# Shares of the blocks that show a step: along the seam, in its part on either
# row at least, beside the seam at most; and the fewest blocks of a part.
_ALONG, _EITHER, _BESIDE, _END = 0.75, 0.4, 0.4, 2
# Decode at an eighth of the size, however small that is.
_EIGHTH = dict(min_factor=8, min_height=1, min_width=1)


def jpeg_damage(content: bytes, rgb: np.ndarray,
                block: Tuple[int, int]) -> Optional[str]:
    """Signs that a JPEG which could be decoded lost a part of its data.

    * Warnings of the decoder: data that end early, codes that do not exist,
      bytes left over. It says nothing of the few bytes that it read ahead;
      so that without the last byte of the data it has to warn.
    * Blocks and colours that no encoder makes of a photo, see
      :func:`~.jpeg_limits.impossible_block`. A block's brightness is stored
      as the difference from the block before, so that one lost difference
      shifts all that follow.
    * The seam which that shift leaves: a step along a row of blocks from the
      place of the loss to the right, and along the row below from the left
      up to that place. No picture has such an edge by itself.
    * Tables that are the standard's but for a few numbers, see
      :func:`~.jpeg_segments.altered_table`.

    Damage that leaves none of these, such as a wrong bit that changes colours
    a little, cannot be told from a picture.

    Args:
        content (bytes): The file.
        rgb (np.ndarray): What it was decoded to, uint8, (H, W, 3), not turned.
        block (tuple[int, int]): Height and width in pixels of the units that
            it is stored in, 8 or 16 each.

    Returns:
        str, optional: The sign; None where there is none.
    """
    sign = (_warning(content) or altered_table(content)
            or impossible_block(content))
    if sign is not None:
        return sign
    try:
        if _warning(without_last_byte(content)) is None:
            return 'data left over'
    except LookupError as error:
        return str(error)
    place = find_seam(rgb, block)
    if place is not None:
        return 'a shift from pixel row {} column {} on'.format(*place)
    return None


def _warning(content: bytes) -> Optional[str]:
    """What the decoder says of a file when it has decoded all data.

    This spares the fine detail and the colours.
    """
    try:
        space = simplejpeg.decode_jpeg_header(content)[2]
        simplejpeg.decode_jpeg(
            content, 'CMYK' if space in ('CMYK', 'YCCK') else 'GRAY',
            **_EIGHTH)
    except ValueError as error:
        return str(error)
    return None


def find_seam(rgb: np.ndarray,
              block: Tuple[int, int]) -> Optional[Tuple[int, int]]:
    """Where blocks begin to be shifted in colour.

    Args:
        rgb (np.ndarray): Photo, uint8, (H, W, 3).
        block (tuple[int, int]): Height and width of a block in pixels.

    Returns:
        tuple[int, int], optional: Row and column of the pixel; None where
        nothing is shifted.
    """
    height, width = block
    cols = rgb.shape[1] // width
    first = np.arange(height, rgb.shape[0] - 1, height)
    if len(first) < 2 or cols < 6:
        return None
    rgb = rgb[:, :cols * width]
    # Only the lines beside a border are taken: photos may be large.
    before_last = rgb[first - 2].astype(np.int16)
    above = rgb[first - 1].astype(np.int16)
    below = rgb[first].astype(np.int16)
    second = rgb[first + 1].astype(np.int16)
    # The step between two rows of blocks beyond what the slope explains.
    step = 2 * (below - above) - (second - below) - (above - before_last)
    step = step.reshape(len(first), cols, width, 3).mean(2) / 2
    step = step.reshape(-1, 3)  # in the order in which blocks are stored
    for hits in (step > _STEP, step < -_STEP):
        before = np.concatenate([np.zeros((1, 3)), hits.cumsum(0)])
        starts = np.arange(_END, len(step) - cols)
        starts = starts[(starts % cols >= _END)
                        & (starts % cols <= cols - _END)]
        column = (starts % cols)[:, None]
        row = starts - column[:, 0]  # the first block of its row
        right = before[row + cols] - before[starts]
        left = before[starts + cols] - before[row + cols]
        beside = (before[row + 2 * cols] - before[row]) - left - right
        found = ((left + right >= _ALONG * cols)
                 & (right >= _EITHER * (cols - column))
                 & (left >= _EITHER * column)
                 & (beside <= _BESIDE * cols))
        for place, channel in np.argwhere(found):
            start, first_block = int(starts[place]), int(row[place])
            if _is_shift(step[first_block:first_block + 2 * cols, channel],
                         start - first_block):
                return (start // cols + 1) * height, start % cols * width
    return None


def _is_shift(steps: np.ndarray, column: int) -> bool:
    """Whether steps of two rows are one constant along the seam alone.

    Edges of a picture are seldom of one height over its whole width.
    """
    cols = len(steps) // 2
    upper, lower = steps[:cols], steps[cols:]
    along = np.concatenate([upper[column:], lower[:column]])
    beside = np.concatenate([upper[:column], lower[column:]])
    shift = np.median(along)
    near = np.abs(along - shift) < 0.4 * abs(shift) + 3
    return bool(near.mean() >= 0.5
                and near[:cols - column].mean() >= 0.3
                and near[cols - column:].mean() >= 0.3
                and np.median(np.abs(beside)) <= 0.3 * abs(shift))
