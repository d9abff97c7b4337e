"""Masks with one class index a pixel, on disk: the one reader of them all."""
import io
from dataclasses import dataclass
from functools import cached_property
from typing import List, Mapping, Optional, Sequence

import numpy as np
from PIL import Image, UnidentifiedImageError

from mmwsss.problems import DataError, one_line

from .atomic import write_atomically

IGNORED = 255
"""What a pixel holds whose class is not known."""
MAX_CLASSES = 255
"""Classes that 8 bits hold beside ``IGNORED``, background included."""

# Palette, grey and two-valued pictures, and grey ones of 16 or 32 bits whose
# values are checked.
_INDEX_MODES = ('P', 'L', '1', 'I', 'I;16', 'I;16B', 'I;16L', 'I;16N')
_LOSSY = ('JPEG', 'MPO', 'JPEG2000')
_SHOWN = 6  # wrong values that an error spells out


def check_class_count(count: int, where: str) -> None:
    """Raise unless masks can hold so many classes.

    Args:
        count (int): Classes, background included.
        where (str): What has them, for the error.

    Raises:
        DataError: If there are more than ``MAX_CLASSES``.
    """
    if count > MAX_CLASSES:
        raise DataError(
            f'{where}: {count} classes with background, but masks have 8 bits '
            f'and 255 is ignored: {MAX_CLASSES} at most (background and '
            f'{MAX_CLASSES - 1}); leave some out or merge them')


@dataclass(frozen=True)
class MaskClasses:
    """Which classes the values of a data set's mask files stand for.

    Attributes:
        count (int): Classes, background included; 0..count-1 in the end.
        label_map (dict, optional): Value -> class, as mmseg's data sets have
            it where ``metainfo`` names a part of their classes.
        reduce_zero_label (bool): Whether 0 is ignored and classes begin at 1,
            as mmseg's data sets have it. Defaults to False.

    Raises:
        DataError: If masks cannot hold so many classes.
    """
    count: int
    label_map: Optional[Mapping[int, int]] = None
    reduce_zero_label: bool = False

    def __post_init__(self) -> None:
        check_class_count(self.count, 'masks')

    @cached_property
    def table(self) -> np.ndarray:
        """What each value of a file becomes, uint8, (256, )."""
        table = np.arange(256)
        if self.reduce_zero_label:  # 0 and 255 become 255
            table = np.where(np.isin(table, (0, 255)), 255, table - 1)
        before = table.copy()
        for old, new in (self.label_map or {}).items():
            table[before == old] = new
        return (table % 256).astype(np.uint8)

    def of(self, values: np.ndarray, path: str) -> np.ndarray:
        """The classes of a mask's values.

        Args:
            values (np.ndarray): As in the file, uint8, (H, W).
            path (str): Its name, for the error.

        Returns:
            np.ndarray: 0..count-1 or 255, uint8, (H, W).

        Raises:
            DataError: If a value is no class, naming the values.
        """
        present = np.flatnonzero(pixel_counts(values))
        classes = self.table[present]
        wrong = present[(classes >= self.count) & (classes != IGNORED)]
        if len(wrong):
            raise DataError(f'{path}: {_spelled(wrong.tolist())}, '
                            f'{self._remedy}')
        if (classes == present).all():
            return values
        return self.table[values]

    @property
    def _remedy(self) -> str:
        return (f'but there are {self.count} classes (0..{self.count - 1}, '
                '255 is ignored); write the index of each class, not its '
                'brightness, or use the label_map or reduce_zero_label that '
                "mmseg's data sets have")


def pixel_counts(mask: np.ndarray) -> np.ndarray:
    """How many pixels of a mask have each value, int64, (256, ).

    Args:
        mask (np.ndarray): uint8, (H, W).
    """
    # In parts: bincount takes the values in 64 bits.
    values = mask.ravel()
    return sum((np.bincount(values[i:i + 2**20], minlength=256)
                for i in range(0, len(values), 2**20)),
               np.zeros(256, dtype=np.int64))


def write_mask(path: str, mask: np.ndarray,
               palette: Sequence[Sequence[int]]) -> None:
    """Write a mask as a palette PNG, 255 (ignore) in VOC's cream colour.

    Args:
        path (str): Where to write.
        mask (np.ndarray): Values 0..255, (H, W).
        palette (Sequence[Sequence[int]]): RGB colours of the classes, 0..255,
            background first.

    Raises:
        DataError: If a value does not fit in 8 bits.
    """
    if mask.size and not 0 <= mask.min() <= mask.max() <= 255:
        raise DataError(f'{path}: class {mask.max()}, but a mask has 8 bits')
    colours = np.zeros((256, 3), dtype=np.uint8)
    colours[:len(palette)] = palette
    colours[255] = (224, 224, 192)
    image = Image.frombytes('P', mask.shape[::-1],
                            mask.astype(np.uint8).tobytes())
    image.putpalette(colours.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, format='PNG')
    write_atomically(path, buffer.getvalue())


def read_mask(path: str, classes: Optional[MaskClasses] = None) -> np.ndarray:
    """Read a mask with one index a pixel.

    Args:
        path (str): A palette or grey picture.
        classes (MaskClasses, optional): What its values stand for; others
            are an error. Defaults to None: all of 0..255 pass as they are.

    Returns:
        np.ndarray: uint8, (H, W).

    Raises:
        DataError: If it cannot be read, is no index picture or has values
            that are no class.
    """
    try:
        with open(path, 'rb') as file:
            content = file.read()
    except OSError as error:
        raise DataError(unreadable_mask(path, error)) from error
    return decode_mask(content, path, classes)


def mask_pixels(path: str) -> int:
    """How many pixels a mask has, from its header.

    Args:
        path (str): The file.

    Returns:
        int: 0 for what is no picture; :func:`read_mask` says what it is.
    """
    try:
        with Image.open(path) as image:
            return image.width * image.height
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return 0


def decode_mask(content: bytes, path: str,
                classes: Optional[MaskClasses] = None) -> np.ndarray:
    """Bytes of a mask file as indices.

    Args:
        content (bytes): The file.
        path (str): Its name, for the error.
        classes (MaskClasses, optional): See :func:`read_mask`.

    Returns:
        np.ndarray: uint8, (H, W).

    Raises:
        DataError: As :func:`read_mask`.
    """
    try:
        with Image.open(io.BytesIO(content)) as image:
            problem = index_problem(image)
            if problem is None:
                values = np.asarray(image)
    except (OSError, SyntaxError, ValueError,
            Image.DecompressionBombError) as error:
        raise DataError(unreadable_mask(path, error)) from error
    if problem is not None:
        raise DataError(f'{path}: {problem}')
    if values.dtype.itemsize > 1:
        wrong = np.unique(values[(values < 0) | (values > 255)])
        if len(wrong):
            raise DataError(f'{path}: {_spelled(wrong.tolist())}, but those '
                            'of a mask are 0..255; write the index of each '
                            'class')
    mask = values.astype(np.uint8)  # two-valued pictures are bool
    return mask if classes is None else classes.of(mask, path)


def unreadable_mask(path: str, error: Exception) -> str:
    """What to say of a mask that cannot be opened or decoded.

    Args:
        path (str): The mask.
        error (Exception): What the system or Pillow says.
    """
    if isinstance(error, UnidentifiedImageError):
        text = 'empty, or of no kind that Pillow knows'
    else:
        text = getattr(error, 'strerror', None) or one_line(error)
    return (f'{path}: mask cannot be read ({text}); put a whole one there or '
            'leave its photo out')


def index_problem(image: Image.Image) -> Optional[str]:
    """Why a picture is no mask, from its header; None if it can be one.

    Args:
        image (PIL.Image.Image): Opened; no pixel is read.
    """
    if image.format in _LOSSY:
        return (f'a mask in {image.format} has lost its indices to the '
                'compression; write it as a palette or grey PNG')
    if image.mode in _INDEX_MODES:
        return None
    shape = (*image.size[::-1], len(image.getbands()))
    return (f'a mask has one index a pixel, this is a picture of shape '
            f'{shape}, mode {image.mode}; write it as a palette or grey PNG')


def _spelled(values: List[int]) -> str:
    shown = ', '.join(map(str, values[:_SHOWN]))
    more = ', ...' if len(values) > _SHOWN else ''
    return f'value{"s" if len(values) > 1 else ""} {shown}{more}'
