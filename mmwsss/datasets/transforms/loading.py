"""Loading photos of every kind that people have."""
import io
import warnings
from typing import Optional, Tuple

import mmengine.fileio as fileio
import numpy as np
from mmcv.transforms import BaseTransform
from PIL import Image, ImageOps

from mmwsss.problems import DataError
from mmwsss.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadPhoto(BaseTransform):
    """Load an image file as 8-bit BGR, upright.

    Greyscale, palette, transparent (on white), CMYK and 16-bit files become
    BGR; the EXIF orientation is applied. A damaged file is an error that
    names it, never a half-grey image.

    Required key: ``img_path``. Added keys: ``img`` (H, W, 3) uint8,
    ``img_shape``, ``ori_shape``.

    Args:
        backend_args (dict, optional): See mmengine's ``fileio``.
    """

    def __init__(self, backend_args: Optional[dict] = None) -> None:
        self.backend_args = backend_args

    def transform(self, results: dict) -> dict:
        """Load ``results['img_path']``."""
        path = results['img_path']
        content = fileio.get(path, backend_args=self.backend_args)
        rgb = decode_photo(content, path)
        results['img'] = np.ascontiguousarray(rgb[..., ::-1])
        results['img_shape'] = results['ori_shape'] = rgb.shape[:2]
        return results


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
    """Bytes of an image file as upright RGB, uint8, (H, W, 3).

    Args:
        content (bytes): The file.
        path (str): Its name, for the error.

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
    """Height and width of a photo when upright; reads its header only.

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
