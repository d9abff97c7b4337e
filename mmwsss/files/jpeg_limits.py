"""What the blocks of a JPEG cannot hold if a photo was stored in it."""
import io
from functools import cache
from typing import Dict, List, NamedTuple, Optional, Tuple

import numpy as np
from PIL import Image

from .jpeg_segments import quantization_tables

# How often the rounding of an encoder is allowed: some round by rate.
_ALLOWED = 1.3
# Levels by which the numbers below are rounded themselves.
_ROUNDED = 1.5
# Blocks that are looked at together: photos may be large.
_AT_ONCE = 1 << 12
# Red, green and blue beyond grey of one level of Cb and Cr (JFIF).
_TO_RGB = np.array([[0, 1.402], [-0.344136, -0.714136], [1.772, 0]])


class _Layer(NamedTuple):
    """A component: its samples to a unit, and its quantization, natural."""

    across: int
    down: int
    steps: np.ndarray


def impossible_block(content: bytes) -> Optional[str]:
    """A block or a colour that no encoder makes of a photo.

    An encoder rounds the cosine transform of pixels from 0 to 255. So what is
    decoded lies beyond 0 and 255 by no more than the rounding, for each block
    of each component; and the mean colour of a unit (MCU) is a mean of RGB
    colours, which is a convex body in YCbCr. Blocks of wrong bits, and all
    that follow a lost difference of means, often lie far beyond.

    Decoders clip. Therefore the file is decoded with half of its quantization
    steps, so that the contrast is half as large and nothing is clipped.

    Args:
        content (bytes): A file that can be decoded.

    Returns:
        str, optional: The sign; None where there is none, and for files that
        are not grey or YCbCr.
    """
    try:
        tables, faint = _with_half_contrast(content)
        with Image.open(io.BytesIO(content)) as image:
            kind = image.mode
            layers = [_Layer(across, down, tables[table])
                      for _, across, down, table in image.layer]
    except (LookupError, ValueError, AttributeError):
        return None
    if kind == 'L':
        planes = [_decoded(faint, 'L', 1)]
    elif kind == 'RGB' and all(layer[:2] == (1, 1) for layer in layers[1:]):
        unit = max(layers[0][:2])
        colours = _decoded(faint, 'YCbCr', unit)
        means = _decoded(faint, 'YCbCr', 8)
        if colours is None or means is None:
            return None
        if _outside(means, layers):
            return 'a colour brighter than white or darker than black'
        planes = [colours[..., i] for i in range(3)]
        if unit > 1:
            planes[0] = _decoded(faint, 'L', 1)
    else:
        return None
    for plane, layer in zip(planes, layers):
        if plane is not None and _beyond(plane, layer.steps):
            return 'a block brighter than white or darker than black'
    return None


@cache
def _zigzag() -> np.ndarray:
    """Index of each stored coefficient in a block of 8 x 8, (64,)."""
    row, column = np.mgrid[:8, :8]
    diagonal = row + column
    along = np.where(diagonal % 2, row, column)
    return np.argsort((diagonal * 8 + along).ravel(), kind='stable')


@cache
def _cosines() -> np.ndarray:
    """Orthonormal cosine transform, (8, 8): frequency, place."""
    frequency, place = np.mgrid[:8, :8]
    basis = np.cos((2 * place + 1) * frequency * np.pi / 16) / 2
    basis[0] /= np.sqrt(2)
    return basis


def _half(steps: np.ndarray) -> np.ndarray:
    return np.maximum((steps + 1) // 2, 1)


def _with_half_contrast(
        content: bytes) -> Tuple[Dict[int, np.ndarray], bytes]:
    """Quantization tables, (64,) each, and the file with half of them.

    Raises:
        LookupError: If the segments are of another shape.
    """
    tables: Dict[int, np.ndarray] = {}
    faint = bytearray(content)
    for number, place, stored in quantization_tables(content):
        tables[number] = np.zeros(64, int)
        tables[number][_zigzag()] = stored
        faint[place:place + stored.nbytes] = _half(
            stored.astype(int)).astype(stored.dtype).tobytes()
    return tables, bytes(faint)


def _decoded(content: bytes, mode: str, scale: int) -> Optional[np.ndarray]:
    """A JPEG at a part of its size; None if it is too small or has no YCbCr.

    At the scale of the chroma its blocks are not resampled.
    """
    with Image.open(io.BytesIO(content)) as image:
        size = image.width // scale, image.height // scale
        if not min(size):
            return None
        image.draft(mode, size)
        try:
            return np.asarray(image) if image.mode == mode else None
        except OSError:  # stored as RGB
            return None


def _outside(means: np.ndarray, layers: List[_Layer]) -> bool:
    """Whether the mean colour of a unit is none of RGB.

    Args:
        means (np.ndarray): Faint YCbCr of each 8 x 8 pixels, (H, W, 3).
        layers (list[_Layer]): The three components.
    """
    across, down = layers[0][:2]
    rows, cols = means.shape[0] // down, means.shape[1] // across
    step = np.array([layer.steps[0] for layer in layers])
    means = means[:rows * down, :cols * across].reshape(
        rows, down, cols, across, 3).mean((1, 3))
    means = (means - 128) * (step / _half(step))
    rgb = means[..., :1] + 128 + means[..., 1:] @ _TO_RGB.T
    # A mean is stored in eighths, and rounded to half a step of these.
    off = _ALLOWED * step / 16 + _ROUNDED
    most = off[0] + np.abs(_TO_RGB) @ off[1:]
    return bool(((rgb > 255 + most) | (rgb < -most)).any())


def _beyond(faint: np.ndarray, steps: np.ndarray) -> bool:
    """Whether a block lies beyond 0..255 by more than the rounding.

    The pixels that were stored differ from the decoded ones by at most half
    the norm of the steps, and the nearest that can be stored are the clipped.

    Args:
        faint (np.ndarray): A component decoded with half its steps, (H, W).
        steps (np.ndarray): The steps, (64,).
    """
    rows, cols = faint.shape[0] // 8, faint.shape[1] // 8
    faint = faint[:rows * 8, :cols * 8]
    # Most blocks are well within; these are not looked at more closely.
    lines = faint.reshape(rows, 8, cols * 8)
    darkest = lines.min(1).reshape(rows, cols, 8).min(2)
    lightest = lines.max(1).reshape(rows, cols, 8).max(2)
    near = (darkest < 64) | (lightest > 191)
    blocks = faint.reshape(rows, 8, cols, 8).transpose(0, 2, 1, 3)
    cosines, half = _cosines(), _half(steps).reshape(8, 8)
    most = _ALLOWED * np.linalg.norm(steps) / 2 + 8 * _ROUNDED
    row, column = np.nonzero(near)
    for start in range(0, len(row), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        values = blocks[row[part], column[part]] - 128.
        # With the steps halved, stored numbers come back to a rounding.
        stored = np.rint(cosines @ values @ cosines.T / half)
        pixels = cosines.T @ (stored * steps.reshape(8, 8)) @ cosines + 128
        beyond = np.linalg.norm(pixels - pixels.clip(0, 255), axis=(1, 2))
        if (beyond > most).any():
            return True
    return False
