"""Small pictures as text that stands inside a page."""
import base64
import io
from typing import Sequence

import numpy as np
from PIL import Image

from mmwsss.files.masks import IGNORED, pixel_counts
from mmwsss.files.work_size import fit_mask, fit_photo, work_size

PHOTO_SIDE = 224
"""Pixels of the longer side of a photo or mask."""
MAP_SIDE = 80
"""The same of a map, which has no fine parts."""
_QUALITY = 55


def photo_uri(photo: np.ndarray) -> str:
    """A small photo as a data URI, WebP.

    Args:
        photo (np.ndarray): RGB, uint8, (H, W, 3).
    """
    small = fit_photo(photo, work_size(photo.shape[:2], PHOTO_SIDE))
    return _uri(Image.fromarray(small), 'webp', quality=_QUALITY, method=2)


def mask_uri(mask: np.ndarray, palette: Sequence[Sequence[int]]) -> str:
    """A small mask, see-through where the background is, PNG.

    Args:
        mask (np.ndarray): 0 background, 1..C, 255 unknown, (H, W).
        palette (Sequence): RGB colours of the classes, 0..255.
    """
    small = fit_mask(mask, work_size(mask.shape, PHOTO_SIDE))
    # As few colours as there are make the file small.
    counts = pixel_counts(small)
    counts[0] = 1
    present = counts.nonzero()[0]
    indices = np.zeros(256, np.uint8)
    indices[present] = range(len(present))
    picture = Image.frombytes('P', small.shape[::-1],
                              indices[small].tobytes())
    colours = [(255, 255, 255) if index == IGNORED or index >= len(palette)
               else palette[index] for index in present.tolist()]
    picture.putpalette([value for colour in colours for value in colour])
    bits = next(bits for bits in (1, 2, 4, 8) if len(present) <= 2**bits)
    return _uri(picture, 'png', transparency=0, bits=bits)


def map_uri(class_map: np.ndarray) -> str:
    """A small map in grey, black 0 and white 1, WebP; the page colours it.

    Args:
        class_map (np.ndarray): In [0, 1], (H, W).
    """
    size = work_size(class_map.shape, MAP_SIDE)
    grey = Image.fromarray(np.rint(class_map * 255).astype(np.uint8))
    return _uri(grey.resize(size[::-1], Image.Resampling.BILINEAR), 'webp',
                quality=_QUALITY, method=2)


def _uri(picture: Image.Image, kind: str, **options: object) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, format=kind, **options)
    return (f'data:image/{kind};base64,'
            + base64.b64encode(buffer.getvalue()).decode())
