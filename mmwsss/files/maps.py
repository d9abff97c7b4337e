"""Localization maps on disk, and the masks that they stand for."""
import io
import zipfile
import zlib
from dataclasses import dataclass
from typing import Any, Dict, Optional, Sequence, Tuple, Union

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from mmwsss.problems import DataError

from .atomic import write_atomically
from .masks import IGNORED
from .safe_npy import load_npy_dict

MAP_DICT_LAYOUTS = ('mctformer', 'irn')
MAP_DTYPES = ('uint8', 'float16')


@dataclass
class MapFile:
    """Localization maps of one image.

    Attributes:
        labels (np.ndarray): The K 0-based classes, int16.
        maps (np.ndarray): Class maps in [0, 1], float32, (K, H, W).
        size (tuple[int, int]): Height and width of the image in pixels.
        scores (np.ndarray, optional): Image-level scores, float32, (C, ).
    """
    labels: np.ndarray
    maps: np.ndarray
    size: Tuple[int, int]
    scores: Optional[np.ndarray] = None


def write_map(path: str, maps: np.ndarray, labels: Sequence[int],
              scores: Optional[np.ndarray] = None, stride: int = 1,
              dtype: str = 'uint8') -> None:
    """Write maps as ``.npz``.

    Args:
        path (str): Where to write.
        maps (np.ndarray): In [0, 1], (K, H, W), at the size of the image.
        labels (Sequence[int]): The K 0-based classes.
        scores (np.ndarray, optional): Image-level scores, (C, ).
        stride (int): Pixels of the image per value stored. Defaults to 1.
        dtype (str): One of ``MAP_DTYPES``.
    """
    size = maps.shape[-2:]
    stored = _resized(maps, [-(-side // stride) for side in size])
    if dtype == 'uint8':
        stored = np.rint(stored.clip(0, 1) * 255)
    arrays: Dict[str, Any] = dict(
        labels=np.asarray(labels, dtype=np.int16),
        maps=stored.astype(dtype),
        size=np.asarray(size, dtype=np.int64))
    if scores is not None:
        arrays['scores'] = scores.astype(np.float32)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_atomically(path, buffer.getvalue())


def _resized(maps: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """Float maps at another size, (K, h, w)."""
    if maps.shape[-2:] == tuple(size) or not len(maps):
        return maps.reshape(-1, *size) if not len(maps) else maps
    return F.interpolate(torch.from_numpy(maps)[None], size, mode='bilinear',
                         antialias=True)[0].numpy()


def read_map(path: str) -> MapFile:
    """Read a map file, without pickle.

    Args:
        path (str): A ``.npz`` of :func:`write_map`.

    Returns:
        MapFile: With maps at the size of the image.

    Raises:
        DataError: If the file is missing, damaged or of another kind.
    """
    arrays = _read_arrays(path, 'labels', 'maps', 'size', 'scores')
    labels, maps = arrays['labels'], arrays['maps']
    if maps.ndim != 3 or len(labels) != len(maps):
        raise DataError(f'{path}: {len(labels)} labels for maps of shape '
                        f'{maps.shape}')
    scale = 255 if maps.dtype == np.uint8 else 1
    height, width = arrays['size'].tolist()
    size = (height, width)
    return MapFile(labels, _resized(maps.astype(np.float32) / scale, size),
                   size, arrays.get('scores'))


def _read_arrays(path: str, *names: str) -> Dict[str, np.ndarray]:
    """Arrays of an ``.npz`` by name; only ``scores`` may be missing."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in names
                    if name in file or name != 'scores'}
    except (OSError, ValueError, KeyError, EOFError, TypeError,
            zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f'{path}: not a readable map file ({error}); remove '
                        'it and run tools/gen_pseudo.py again') from error


def map_size(path: str) -> Tuple[int, int]:
    """The size of the image that maps belong to; quick for ``.npz``.

    Args:
        path (str): A map file of any kind, see :func:`read_any_map`.

    Returns:
        tuple[int, int]: Height and width in pixels.

    Raises:
        DataError: As :func:`read_any_map`.
    """
    if path.endswith('.npy'):
        return read_map_dict(path).size
    height, width = _read_arrays(path, 'size')['size'].tolist()
    return height, width


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
    score = maps.max(0)
    mask = (labels[maps.argmax(0)] + 1).astype(np.uint8)
    mask[score <= np.float32(high)] = 255
    mask[score <= np.float32(low)] = 0
    return mask


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
    """Read maps from a ``.npy`` dict of MCTformer's or IRN's scripts.

    MCTformer writes ``{class: map}``, IRN ``{'keys': classes, 'high_res':
    maps, ...}``; classes are 0-based in both. No code in the file runs.

    Args:
        path (str): The file.

    Returns:
        MapFile: The maps, without scores.

    Raises:
        DataError: If the file is neither.
    """
    content = load_npy_dict(path)
    try:
        if 'keys' in content:
            labels = np.asarray(content['keys'])
            maps = np.asarray(content['high_res'], dtype=np.float32)
        else:
            labels = np.asarray(sorted(content), dtype=np.int64)
            maps = np.stack([np.asarray(content[key], dtype=np.float32)
                             for key in sorted(content)])
        if maps.ndim != 3 or labels.shape != maps.shape[:1]:
            raise ValueError(f'{labels.shape} classes for {maps.shape} maps')
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f'{path}: neither {{class: map}} nor a dict with keys and '
            f'high_res ({type(error).__name__}: {error})') from error
    return MapFile(labels.astype(np.int16), maps, maps.shape[1:], None)


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
