"""Photos made smaller, so that memory and time do not follow the camera."""
from typing import Optional, Sequence, Tuple

import numpy as np
from PIL import Image


def work_size(size: Sequence[int], max_side: Optional[int]) -> Tuple[int, int]:
    """The size at which a photo is worked on.

    Args:
        size (Sequence[int]): Height and width of the photo in pixels.
        max_side (int, optional): Pixels of the longer side at most; None
            leaves photos as they are.

    Returns:
        tuple[int, int]: Height and width, in the proportions of the photo.

    Example:
        >>> work_size((3000, 4000), 640)
        (480, 640)
        >>> work_size((300, 400), 640)
        (300, 400)
    """
    height, width = size
    longer = max(height, width)
    if max_side is None or longer <= max_side:
        return height, width
    return (max(1, round(height * max_side / longer)),
            max(1, round(width * max_side / longer)))


def fit_photo(photo: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """A photo of a given size.

    Args:
        photo (np.ndarray): uint8, (H, W, 3).
        size (Sequence[int]): Height and width in pixels.

    Returns:
        np.ndarray: uint8, (*size, 3); the photo itself if it has the size.
    """
    height, width = size
    if photo.shape[:2] == (height, width):
        return photo
    return np.asarray(Image.fromarray(photo).resize(
        (width, height), Image.Resampling.BICUBIC, reducing_gap=3.))


def fit_mask(mask: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """A mask of a given size; each pixel takes the nearest one.

    Args:
        mask (np.ndarray): uint8, (H, W).
        size (Sequence[int]): Height and width in pixels.

    Returns:
        np.ndarray: uint8, (*size); the mask itself if it has the size.
    """
    height, width = size
    if mask.shape == (height, width):
        return mask
    return np.asarray(Image.fromarray(mask).resize(
        (width, height), Image.Resampling.NEAREST))
