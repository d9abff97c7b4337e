"""Photos of every kind that people have, upright and in RGB."""
import io
import os.path as osp
import warnings
from typing import Tuple

import numpy as np
from PIL import Image, ImageOps

from mmwsss.problems import DataError


def image_name(path: str) -> str:
    """What an image is called: ``a/b/2007_000032.jpg`` -> ``2007_000032``."""
    return osp.splitext(osp.basename(path))[0]


def to_rgb(image: Image.Image) -> np.ndarray:
    """Any PIL image -> upright uint8 RGB, (H, W, 3)."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith('I;16'):
        # PIL would clip 16-bit values at 255 instead of scaling them.
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.mode == 'I':  # older PIL opens 16-bit PNGs as 32-bit
        values = np.asarray(image).clip(0, 65535) >> 8
        image = Image.fromarray(values.astype(np.uint8))
    if 'A' in image.getbands() or 'transparency' in image.info:
        image = image.convert('RGBA')
        canvas = Image.new('RGBA', image.size, 'white')
        image = Image.alpha_composite(canvas, image)
    return np.asarray(image.convert('RGB'))


def decode_photo(content: bytes, path: str) -> np.ndarray:
    """Bytes of an image file as an upright photo.

    Args:
        content (bytes): The file.
        path (str): Its name, for the error.

    Returns:
        np.ndarray: RGB, uint8, (H, W, 3).

    Raises:
        DataError: If it is damaged or not an image.
    """
    try:
        with warnings.catch_warnings():
            # PIL warns of odd EXIF data, which does no harm here.
            warnings.simplefilter('ignore', UserWarning)
            return to_rgb(Image.open(io.BytesIO(content)))
    except (OSError, SyntaxError, ValueError,
            Image.DecompressionBombError) as error:
        raise DataError(f'{path}: damaged or not an image ({error}); '
                        'replace it or take it off the list') from error


def read_photo(path: str) -> np.ndarray:
    """A photo as upright RGB, uint8, (H, W, 3); see :func:`decode_photo`."""
    with open(path, 'rb') as file:
        return decode_photo(file.read(), path)


def photo_size(path: str) -> Tuple[int, int]:
    """The size of a photo when upright; reads its header only.

    Args:
        path (str): The image file.

    Returns:
        tuple[int, int]: Height and width in pixels.

    Raises:
        DataError: If the file is not an image.
    """
    try:
        with Image.open(path) as image:
            width, height = image.size
            # EXIF's tag of the orientation; from 5 on it lies on its side.
            sideways = image.getexif().get(0x0112, 1) >= 5
    except (OSError, SyntaxError, ValueError,
            Image.DecompressionBombError) as error:
        raise DataError(f'{path} is not an image ({error})') from error
    return (width, height) if sideways else (height, width)
