"""Localization maps on disk, and the masks that they stand for."""
import io
import os.path as osp
from dataclasses import dataclass, replace
from typing import Any, Dict, Optional, Sequence, Tuple, Union

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from mmwsss.problems import DataError, one_line

from .atomic import write_atomically
from .masks import IGNORED
from .safe_npy import load_npy_dict
from .safe_npz import INTEGERS, NUMBERS, read_npz

MAP_DICT_LAYOUTS = ('mctformer', 'irn')
MAP_DTYPES = ('uint8', 'float16')
# Values of all maps of an image at its own size; as float32 they take 1 GiB,
# and twice that while they are resized.
MOST_VALUES = 2**28
# A map value may leave [0, 1] by so much for rounding; it is brought back.
ROUNDING = 1e-3
MOST_CLASSES = 254  # foreground classes that fit into an 8-bit mask
# The size of an image whose file of maps is an empty dict: it does not say.
UNKNOWN_SIZE = (0, 0)


@dataclass
class MapFile:
    """Localization maps of one image.

    Attributes:
        labels (np.ndarray): The K 0-based classes, int16.
        maps (np.ndarray): Class maps in [0, 1], float32, (K, H, W).
        size (tuple[int, int]): Height and width of the image in pixels, or
            ``UNKNOWN_SIZE``.
        scores (np.ndarray, optional): Image-level scores, float32, (C, ).
    """
    labels: np.ndarray
    maps: np.ndarray
    size: Tuple[int, int]
    scores: Optional[np.ndarray] = None

    def sized(self, size: Sequence[int]) -> 'MapFile':
        """The same maps; those of no class get a size where they have none.

        Args:
            size (Sequence[int]): Height and width of the image in pixels.
        """
        if self.size != UNKNOWN_SIZE:
            return self
        height, width = size
        return replace(self, maps=np.zeros((0, height, width), np.float32),
                       size=(height, width))


def write_map(path: str, maps: np.ndarray, labels: Sequence[int],
              scores: Optional[np.ndarray] = None, stride: int = 1,
              dtype: str = 'uint8',
              size: Optional[Sequence[int]] = None) -> None:
    """Write maps as ``.npz``.

    Args:
        path (str): Where to write.
        maps (np.ndarray): In [0, 1], (K, H, W).
        labels (Sequence[int]): The K 0-based classes.
        scores (np.ndarray, optional): Image-level scores, (C, ).
        stride (int): Values of the maps per value stored. Defaults to 1.
        dtype (str): One of ``MAP_DTYPES``.
        size (Sequence[int], optional): Height and width of the image, which
            the maps have when they are read again. Defaults to None: those of
            the maps.
    """
    stored = resized_maps(maps, [-(-side // stride)
                                 for side in maps.shape[-2:]])
    if dtype == 'uint8':
        stored = np.rint(stored.clip(0, 1) * 255)
    arrays: Dict[str, Any] = dict(
        labels=np.asarray(labels, dtype=np.int16),
        maps=stored.astype(dtype),
        size=np.asarray(size or maps.shape[-2:], dtype=np.int64))
    if scores is not None:
        arrays['scores'] = scores.astype(np.float32)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_atomically(path, buffer.getvalue())


def resized_maps(maps: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """Float maps (K, H, W) at another size, (K, *size).

    Args:
        maps (np.ndarray): float32; K may be 0.
        size (Sequence[int]): Height and width.
    """
    if not len(maps):
        return maps.reshape(0, *size)
    if maps.shape[-2:] == tuple(size):
        return maps
    return F.interpolate(torch.from_numpy(maps)[None], size, mode='bilinear',
                         antialias=True)[0].numpy()


def read_map(path: str) -> MapFile:
    """Read a map file, without pickle.

    Args:
        path (str): A ``.npz`` of :func:`write_map`.

    Returns:
        MapFile: With maps at the size of the image.

    Raises:
        DataError: If the file is missing, damaged or of another kind, its
            values are no maps, or it stands for more than ``MOST_VALUES``.
    """
    arrays = _read_arrays(
        path, dict(labels=INTEGERS, maps=NUMBERS, size=INTEGERS),
        dict(scores=NUMBERS))
    labels, maps = arrays['labels'], arrays['maps']
    if maps.ndim != 3 or labels.ndim != 1 or len(labels) != len(maps):
        raise DataError(f'{path}: {labels.size} labels for maps of shape '
                        f'{maps.shape}')
    size = _checked_size(path, arrays['size'])
    for shape in (size, maps.shape[1:]):
        _check_values(path, len(labels), shape)
    scale = 255 if maps.dtype == np.uint8 else 1
    maps = _as_floats(maps)
    maps /= scale
    maps = _checked_maps(path, maps)
    scores = arrays.get('scores')
    if scores is not None and not (
            scores.ndim == 1 and np.isfinite(scores).all()):
        raise DataError(f'{path}: scores of shape {scores.shape}, or not '
                        f'finite; {_AGAIN}')
    return MapFile(_checked_labels(path, labels), resized_maps(maps, size),
                   size, scores)


_AGAIN = 'remove it and run tools/gen_pseudo.py again'


def _read_arrays(path: str, kinds: Dict[str, str],
                 optional: Dict[str, str]) -> Dict[str, np.ndarray]:
    try:
        return read_npz(path, kinds, optional)
    except ValueError as error:
        raise DataError(f'{path}: not a readable map file ({error}); '
                        f'{_AGAIN}') from error


def _checked_size(path: str, size: np.ndarray) -> Tuple[int, int]:
    """Height and width that an image can have."""
    sides: Any = size.tolist()
    if size.shape != (2, ) or min(sides) < 1:
        raise DataError(f'{path}: the size of its image is {str(sides):.60}, '
                        f'not a height and a width in pixels; {_AGAIN}')
    _check_values(path, 1, (sides[0], sides[1]))
    return sides[0], sides[1]


def _check_values(path: str, count: int, size: Sequence[int]) -> None:
    """Maps of this size fit into memory; counted before they are made."""
    if count * size[0] * size[1] > MOST_VALUES:
        raise DataError(
            f'{path}: {count} maps of {size[0]} x {size[1]} are too large, '
            f'the limit is {MOST_VALUES:,} values; make them for a smaller '
            'photo, or check the file')


def _checked_labels(path: str, labels: np.ndarray) -> np.ndarray:
    """Different 0-based classes, int16."""
    if len(labels) and not (0 <= labels.min()
                            and labels.max() < MOST_CLASSES):
        raise DataError(
            f'{path}: classes from {labels.min()} to {labels.max()}; they '
            f'are 0-based, without background, up to {MOST_CLASSES - 1}')
    if len(np.unique(labels)) < len(labels):
        raise DataError(f'{path}: a class stands there twice, '
                        f'{str(labels.tolist()):.60}')
    return labels.astype(np.int16)


def _as_floats(values: Any) -> np.ndarray:
    """A copy as float32; what is too large for it becomes infinite."""
    with np.errstate(over='ignore'):
        return np.array(np.asarray(values), dtype=np.float32)


def _checked_maps(path: str, maps: np.ndarray) -> np.ndarray:
    """Maps with values in [0, 1], float32; changed in place."""
    if not maps.size:
        if len(maps):
            raise DataError(f'{path}: maps of shape {maps.shape}')
        return maps
    low, high = float(maps.min()), float(maps.max())
    # A NaN is neither small nor large.
    if not (-ROUNDING <= low and high <= 1 + ROUNDING):
        if not np.isfinite([low, high]).all():
            raise DataError(f'{path}: values that are not finite; make it '
                            'again')
        raise DataError(
            f'{path}: values from {low:.4g} to {high:.4g}, but maps are in '
            '[0, 1]; scale each map to it before (divide by 255 if 255 stands '
            'for 1)')
    return np.clip(maps, 0, 1, out=maps)


def map_size(path: str) -> Tuple[int, int]:
    """The size of the image that maps belong to; quick for ``.npz``.

    Args:
        path (str): A map file of any kind, see :func:`read_any_map`.

    Returns:
        tuple[int, int]: Height and width in pixels; ``UNKNOWN_SIZE`` where
        the file does not say.

    Raises:
        DataError: As :func:`read_any_map`.
    """
    if path.endswith('.npy'):
        return read_map_dict(path).size
    return _checked_size(path, _read_arrays(path, dict(size=INTEGERS),
                                            {})['size'])


def map_pixels(path: str) -> int:
    """About how many pixels a map file's image has, without its maps.

    Args:
        path (str): A map file of any kind, see :func:`read_any_map`.

    Returns:
        int: For a ``.npy``, which says nothing of it, what a single map of
        that many bytes has.

    Raises:
        DataError: If a ``.npz`` is missing or damaged.
    """
    if path.endswith('.npy'):
        return osp.getsize(path) // 4 if osp.isfile(path) else 0
    height, width = map_size(path)
    return height * width


def map_to_mask(maps: np.ndarray, labels: np.ndarray,
                threshold: Union[float, Tuple[float, float]]) -> np.ndarray:
    """The mask that maps stand for; here foreground classes get their +1.

    A pixel is the class with the largest map value if that is above the
    threshold, else background. With two thresholds, what lies between them
    is 255 (ignore).

    Args:
        maps (np.ndarray): In [0, 1], (K, H, W).
        labels (np.ndarray): The K 0-based classes.
        threshold (float | tuple[float, float]): One or (low, high), in
            [0, 1].

    Returns:
        np.ndarray: uint8, (H, W): 0 background, 1..C, 255 ignore.

    Raises:
        DataError: If a class does not fit into 8 bits.
    """
    if not len(maps):
        return np.zeros(maps.shape[1:], dtype=np.uint8)
    if max(labels) + 1 >= IGNORED:
        raise DataError(f'class {max(labels)}: a mask has 8 bits, and 255 is '
                        f'ignored; classes 0 to {IGNORED - 2} fit')
    low, high = (threshold if isinstance(threshold, (tuple, list)) else
                 (threshold, threshold))
    score, winner = strongest_class(maps)
    mask = (labels + 1).astype(np.uint8)[winner]
    mask[score <= np.float32(high)] = 255
    mask[score <= np.float32(low)] = 0
    return mask


def strongest_class(maps: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """The largest value of each pixel, and which map has it.

    ``maps.argmax(0)`` copies the maps and counts in 64 bits, which for a
    large photo is much.

    Args:
        maps (np.ndarray): (K, H, W), K from 1 to 255, without NaN.

    Returns:
        tuple[np.ndarray, np.ndarray]: Values, (H, W), and 0-based places in
        ``maps``, uint8, (H, W); the first of equal ones.
    """
    best = maps[0].copy()
    winner = np.zeros(best.shape, dtype=np.uint8)
    for place, one in enumerate(maps[1:], 1):
        winner[one > best] = place
        np.maximum(best, one, out=best)
    return best, winner


def read_any_map(path: str) -> MapFile:
    """Read maps from our ``.npz`` or a ``.npy`` dict of other scripts.

    Args:
        path (str): The file; its extension tells the kind.

    Returns:
        MapFile: The maps.

    Raises:
        DataError: If the file is missing, damaged or of another kind.
    """
    return (read_map_dict if path.endswith('.npy') else read_map)(path)


def read_map_dict(path: str) -> MapFile:
    """Read maps from a ``.npy`` dict of other scripts.

    MCTformer and PSA write ``{class: map}``, an empty dict for an image
    without a class; IRN ``{'keys': classes, 'high_res': maps, ...}``, CLIP-ES
    the same with ``attn_highres``. Classes are 0-based in all of them. No
    code in the file runs.

    Args:
        path (str): The file.

    Returns:
        MapFile: The maps, without scores; of ``UNKNOWN_SIZE`` where there is
        no class.

    Raises:
        DataError: If the file is none of these, or values are no maps.
    """
    content = load_npy_dict(path)
    try:
        if 'keys' in content:
            name = next((name for name in _MAPS_OF_KEYS if name in content),
                        _MAPS_OF_KEYS[0])
            labels, maps = np.asarray(content['keys']), content[name]
        else:
            labels = np.asarray(sorted(content))
            maps = [content[key] for key in sorted(content)]
        if not labels.size:
            return _empty(path, maps)
        if labels.dtype.kind not in INTEGERS or labels.ndim != 1:
            raise ValueError(f'classes of type {labels.dtype}')
        sizes = {np.shape(one) for one in maps}
        if len(maps) != len(labels) or len(sizes) != 1 or any(
                len(size) != 2 for size in sizes):
            raise ValueError(f'{labels.shape} classes for {len(maps)} maps '
                             f'of shapes {str(sorted(sizes)):.60}')
        height, width = sizes.pop()
        _check_values(path, len(labels), (height, width))
        maps = np.stack([_as_floats(one) for one in maps])
    except DataError:
        raise
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise DataError(
            f'{path}: neither {{class: map}} nor a dict with keys and '
            f'{" or ".join(_MAPS_OF_KEYS)} ({type(error).__name__}: '
            f'{one_line(error)})') from error
    return MapFile(_checked_labels(path, labels), _checked_maps(path, maps),
                   (height, width), None)


# What IRN and CLIP-ES call the maps of their ``keys``.
_MAPS_OF_KEYS = ('high_res', 'attn_highres')


def _empty(path: str, maps: Any) -> MapFile:
    """Maps of no class; an array of shape (0, H, W) has a size."""
    size = np.shape(maps)[1:]
    if len(maps) or len(size) not in (0, 2):
        raise ValueError(f'no class for maps of shape {np.shape(maps)}')
    height, width = size or UNKNOWN_SIZE
    if not height or not width:
        height, width = UNKNOWN_SIZE
    _check_values(path, 1, (height, width))
    return MapFile(np.zeros(0, np.int16),
                   np.zeros((0, height, width), np.float32), (height, width))


def write_map_dict(path: str, file: MapFile, layout: str) -> None:
    """Write maps as the pickled ``.npy`` dict of other scripts.

    Args:
        path (str): Where to write.
        file (MapFile): From :func:`read_map`.
        layout (str): 'mctformer': {class: float32 map}, also PSA's; 'irn':
            ``keys``, ``high_res`` and, at a quarter of the size, ``cam``.

    Raises:
        ValueError: If there is no such layout.
    """
    maps = file.maps.astype(np.float32)
    if layout == 'mctformer':
        content = dict(zip(file.labels.tolist(), maps))
    elif layout == 'irn':
        shape = (0, *(-(-side // 4) for side in maps.shape[1:]))
        small = [np.asarray(Image.fromarray(one).resize(
            shape[:0:-1], Image.Resampling.BILINEAR)) for one in maps]
        content = dict(
            keys=file.labels.astype(np.int64), high_res=maps,
            cam=np.stack(small) if small else np.zeros(shape, np.float32))
    else:
        raise ValueError(f'layout={layout!r}: use one of {MAP_DICT_LAYOUTS}')
    buffer = io.BytesIO()
    np.save(buffer, np.array(content, dtype=object))
    write_atomically(path, buffer.getvalue())
