"""Masks with one class index a pixel, on disk."""
import io
from typing import Sequence

import numpy as np
from PIL import Image

from mmwsss.problems import DataError

from .atomic import write_atomically


def write_mask(path: str, mask: np.ndarray,
               palette: Sequence[Sequence[int]]) -> None:
    """Write a mask as a palette PNG, 255 (ignore) in VOC's cream colour.

    Args:
        path (str): Where to write.
        mask (np.ndarray): Values 0..255, (H, W).
        palette (Sequence[Sequence[int]]): RGB colours of the classes, 0..255,
            background first.
    """
    colours = np.zeros((256, 3), dtype=np.uint8)
    colours[:len(palette)] = palette
    colours[255] = (224, 224, 192)
    image = Image.frombytes('P', mask.shape[::-1],
                            mask.astype(np.uint8).tobytes())
    image.putpalette(colours.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, format='PNG')
    write_atomically(path, buffer.getvalue())


def read_mask(path: str) -> np.ndarray:
    """Read a mask with one index a pixel.

    Args:
        path (str): A palette or grey picture.

    Returns:
        np.ndarray: uint8, (H, W).

    Raises:
        DataError: If it cannot be read or is a colour picture.
    """
    try:
        with open(path, 'rb') as file:
            content = file.read()
    except OSError as error:
        raise DataError(f'{path}: mask cannot be read ({error})') from error
    return decode_mask(content, path)


def decode_mask(content: bytes, path: str) -> np.ndarray:
    """Bytes of a mask file as indices.

    Args:
        content (bytes): The file.
        path (str): Its name, for the error.

    Returns:
        np.ndarray: uint8, (H, W).

    Raises:
        DataError: If it is damaged or is a colour picture.
    """
    try:
        with Image.open(io.BytesIO(content)) as image:
            mask = np.asarray(image)
    except (OSError, SyntaxError, ValueError,
            Image.DecompressionBombError) as error:
        raise DataError(f'{path}: mask cannot be read ({error})') from error
    if mask.ndim != 2:
        raise DataError(f'{path}: a mask has one index a pixel, this is a '
                        f'picture of shape {mask.shape}')
    return mask
