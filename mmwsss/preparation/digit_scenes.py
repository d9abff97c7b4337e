"""Drawing DigitScenes: real handwritten digits in cluttered little scenes."""
import json
import os
import os.path as osp
from dataclasses import dataclass
from typing import Any, Dict, List, Sequence, Set, Tuple

import numpy as np
from mmengine.logging import print_log
from numpy.typing import ArrayLike
from PIL import Image, ImageDraw
from rich.progress import track

from mmwsss.datasets.digit_scenes import CLASSES, PALETTE
from mmwsss.files.csv_files import write_csv
from mmwsss.files.json_files import read_json
from mmwsss.files.unfinished import remove_unfinished
from mmwsss.problems import DataError

# Raised whenever the drawing below changes, so that old folders are redone.
_VERSION = 1
_RECORD = 'digit_scenes.json'
_SPLITS = ('train', 'val')
_GREY = 0.35  # of 0..1: darker pixels of a digit are not the digit
_MIN_VISIBLE = 0.8  # of a digit's pixels, when all digits are drawn
_MIN_CONTRAST = 60  # how much brighter than what lies behind, of 0..255


@dataclass
class Scene:
    """One drawn scene.

    Attributes:
        image (np.ndarray): RGB, uint8 (S, S, 3).
        mask (np.ndarray): 0 for background, digit + 1 elsewhere, uint8
            (S, S).
        digits (list[int]): The digits in it, in rising order.
        samples (list[int]): Indices of their samples, in drawing order.
    """
    image: np.ndarray
    mask: np.ndarray
    digits: List[int]
    samples: List[int]


def write_digit_scenes(root: str,
                       num_train: int = 2000,
                       num_val: int = 200,
                       size: int = 64,
                       seed: int = 0,
                       force: bool = False) -> None:
    """Write DigitScenes in the layout of PASCAL VOC.

    ``JPEGImages/*.jpg``, ``SegmentationClassAug/*.png``, ``labels.csv`` and
    ``ImageSets/Segmentation/{train,val}.txt``. The same arguments give the
    same bytes. Train and val show different samples of handwriting.

    ``digit_scenes.json`` holds the arguments and the samples used. It is
    written last: a folder with it is complete and is used again, one that an
    interruption left without it is redone.

    Args:
        root (str): Folder to write to; new, empty, or DigitScenes.
        num_train (int): Number of training scenes. Defaults to 2000.
        num_val (int): Number of validation scenes. Defaults to 200.
        size (int): Height and width in pixels. Defaults to 64.
        seed (int): Where all chance starts. Defaults to 0.
        force (bool): Redo a folder that was made with other arguments.
            Defaults to False.

    Raises:
        DataError: If a number is too small, or ``root`` holds something else
            or, without ``force``, DigitScenes made with other arguments.
    """
    root = osp.expanduser(root)
    for name, value, low in (('num_train', num_train, 1),
                             ('num_val', num_val, 1), ('size', size, 32),
                             ('seed', seed, 0)):
        if value < low:
            raise DataError(f'{name}={value}: must be at least {low}')
    record: Dict[str, Any] = dict(version=_VERSION, num_train=num_train,
                                  num_val=num_val, size=size, seed=seed)
    if _is_complete(root, record, force):
        print_log(f'{root}: DigitScenes is there already', 'current')
        return
    images, labels = load_digit_samples()
    pools = split_samples(labels, seed)
    _start_folder(root, record)
    remove_unfinished(root)

    table: List[Tuple[str, str]] = []
    record['samples'] = {}
    for split_id, (split, count, pool) in enumerate(
            zip(_SPLITS, (num_train, num_val), pools)):
        names: List[str] = []
        used: Set[int] = set()
        for index in track(range(count), f'Drawing {count} {split} scenes'):
            # One generator a scene: it does not depend on the others.
            rng = np.random.default_rng((seed, split_id, index))
            scene = draw_scene(rng, images, labels, pool, size)
            name = f'{split}_{index:05d}'
            _write_scene(root, name, scene)
            names.append(name)
            used.update(scene.samples)
            table.append((f'{name}.jpg', ';'.join(map(str, scene.digits))))
        record['samples'][split] = sorted(used)
        _write_lines(osp.join(_folder(root, 'list'), f'{split}.txt'), names)
    write_csv(osp.join(root, 'labels.csv'), [('image', 'labels'), *table])
    _finish_folder(root, record)


def load_digit_samples() -> Tuple[np.ndarray, np.ndarray]:
    """scikit-learn's handwritten digits, which it carries with it.

    Returns:
        tuple[np.ndarray, np.ndarray]: Greys in [0, 1], (M, 8, 8), and the
        digits 0..9, (M,).
    """
    from sklearn.datasets import load_digits  # slow to import
    bunch = load_digits()
    return bunch.images / 16., bunch.target


def split_samples(labels: np.ndarray,
                  seed: int = 0) -> Tuple[np.ndarray, np.ndarray]:
    """Divide the samples of each digit, 4 of 5 to train and 1 to val.

    Args:
        labels (np.ndarray): The digit of each sample, (M,).
        seed (int): Where the shuffling starts. Defaults to 0.

    Returns:
        tuple[np.ndarray, np.ndarray]: Indices of the train and of the val
        samples; together each index once.
    """
    rng = np.random.default_rng(seed)
    train, val = [], []
    for digit in range(10):
        indices = rng.permutation(np.flatnonzero(labels == digit))
        cut = len(indices) // 5
        val.append(indices[:cut])
        train.append(indices[cut:])
    return np.sort(np.concatenate(train)), np.sort(np.concatenate(val))


def draw_scene(rng: np.random.Generator,
               images: np.ndarray,
               labels: np.ndarray,
               pool: ArrayLike,
               size: int = 64,
               max_digits: int = 2,
               digit_size: Tuple[float, float] = (0.5, 0.75),
               max_clutter: int = 5) -> Scene:
    """Draw one scene of one or more different digits.

    Args:
        rng (np.random.Generator): Where all chance comes from.
        images (np.ndarray): Greys of the M samples in [0, 1], (M, 8, 8).
        labels (np.ndarray): Digits of the samples, 0..9, (M,).
        pool (ArrayLike): Indices of the samples that may be used, (P,).
        size (int): S, height and width in pixels. Defaults to 64.
        max_digits (int): Most digits of a scene. Defaults to 2.
        digit_size (tuple[float, float]): Smallest and largest height of a
            digit, as a part of S. Defaults to (0.5, 0.75).
        max_clutter (int): Most things of no class. Defaults to 5.

    Returns:
        Scene: Every digit in it shows most of its pixels.
    """
    usable = np.asarray(pool)
    canvas = _draw_background(rng, size, max_clutter)  # (S, S, 3)
    mask = np.zeros((size, size), dtype=np.uint8)
    areas: Dict[int, int] = {}  # mask value -> pixels
    samples: List[int] = []
    count = rng.integers(1, max_digits + 1)
    for digit in rng.choice(10, count, replace=False).tolist():
        sample = int(rng.choice(usable[labels[usable] == digit]))
        for _ in range(20):
            grey = _enlarge(rng, images[sample], size * rng.uniform(
                *digit_size))
            grey = _place(rng, grey, size)
            shape = grey > _GREY
            if _all_visible(mask, shape, areas):
                _paint(rng, canvas, grey)
                mask[shape] = digit + 1
                areas[digit + 1] = int(shape.sum())
                samples.append(sample)
                break
        # A digit that found no free place in 20 trials is left out.
    # A camera's noise; it also hides the flat colours from a shortcut.
    canvas += rng.normal(0, 4, canvas.shape)
    image = canvas.clip(0, 255).round().astype(np.uint8)
    return Scene(image, mask, sorted(v - 1 for v in areas), samples)


def _all_visible(mask: np.ndarray, shape: np.ndarray,
                 areas: Dict[int, int]) -> bool:
    """Whether earlier digits still show enough with ``shape`` on top."""
    left = np.bincount(mask[~shape], minlength=len(CLASSES))
    return all(left[value] >= _MIN_VISIBLE * area
               for value, area in areas.items())


def _enlarge(rng: np.random.Generator, sample: np.ndarray,
             height: float) -> np.ndarray:
    """Greys (8, 8) -> smooth greys, turned a little and cut to the digit."""
    # The frame keeps strokes at the border of the 8 x 8 from being cut.
    framed = Image.fromarray(np.pad(sample, 1).astype(np.float32))
    side = max(10, round(height * 10 / 8))
    large = framed.resize((side, side), Image.Resampling.BICUBIC)
    grey = np.asarray(large.rotate(rng.uniform(-12, 12),
                                   Image.Resampling.BILINEAR))
    rows = np.flatnonzero((grey > _GREY).any(1))
    columns = np.flatnonzero((grey > _GREY).any(0))
    return grey[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]


def _place(rng: np.random.Generator, grey: np.ndarray,
           size: int) -> np.ndarray:
    """Greys of a digit at a random place of an empty (S, S)."""
    height, width = grey.shape
    top = rng.integers(0, max(1, size - height + 1))
    left = rng.integers(0, max(1, size - width + 1))
    placed = np.zeros((size, size), dtype=np.float32)
    placed[top:top + height, left:left + width] = grey[:size, :size]
    return placed


def _paint(rng: np.random.Generator, canvas: np.ndarray,
           grey: np.ndarray) -> None:
    """Paint a digit on ``canvas`` (S, S, 3) in a brighter colour."""
    # An earlier digit behind it may be nearly white: 160 can be outshone.
    behind = min(160., canvas[grey > _GREY].mean())
    color = rng.uniform(0, 255, 3)
    while color.mean() < behind + _MIN_CONTRAST:
        color = rng.uniform(0, 255, 3)
    # Half covered exactly where the mask ends, so the edge is smooth and the
    # mask is still true to it.
    alpha = ((grey - _GREY) / 0.2 + 0.5).clip(0, 1)[..., None]
    color = color + 20 * _noise(rng, len(grey), 3)[..., None]
    canvas += alpha * (color - canvas)


def _draw_background(rng: np.random.Generator, size: int,
                     max_clutter: int) -> np.ndarray:
    """Two dark colours in soft patches, grain and clutter, (S, S, 3)."""
    first, second = rng.uniform(0, 110, (2, 3))
    second = first + 0.5 * (second - first)  # patches, not objects
    blend = (0.5 + 0.5 * _noise(rng, size, 4)).clip(0, 1)[..., None]
    canvas = first + blend * (second - first)
    canvas += 10 * _noise(rng, size, max(4, size // 3))[..., None]
    picture = Image.fromarray(canvas.clip(0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    for _ in range(rng.integers(max_clutter // 2, max_clutter + 1)):
        _draw_clutter(rng, pen, size)
    return np.asarray(picture).astype(np.float64)


def _draw_clutter(rng: np.random.Generator, pen: ImageDraw.ImageDraw,
                  size: int) -> None:
    """One thing that is no digit: a line, an arc, a shape or a blob."""
    color = tuple(int(v) for v in rng.integers(0, 256, 3))
    x, y = rng.uniform(0, size, 2)
    radius = size * rng.uniform(0.03, 0.12)
    kind = rng.integers(4)
    if kind == 0:  # a line much thinner than a digit's stroke
        dx, dy = rng.uniform(-0.4 * size, 0.4 * size, 2)
        pen.line((x, y, x + dx, y + dy), color, int(rng.integers(1, 3)))
    elif kind == 1:
        start = rng.uniform(0, 360)
        pen.arc((x - 2 * radius, y - 2 * radius, x + 2 * radius,
                 y + 2 * radius), start, start + rng.uniform(60, 150), color,
                int(rng.integers(1, 3)))
    elif kind == 2:  # a polygon of three to five corners
        angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 6)))
        pen.polygon([(x + radius * np.cos(a), y + radius * np.sin(a))
                     for a in angles], color)
    else:
        squeeze = rng.uniform(0.5, 1)
        pen.ellipse((x - radius, y - squeeze * radius, x + radius,
                     y + squeeze * radius), color)


def _noise(rng: np.random.Generator, size: int, cells: int) -> np.ndarray:
    """Smooth noise in about [-1, 1] with ``cells`` waves a side, (S, S)."""
    coarse = Image.fromarray(
        rng.uniform(-1, 1, (cells, cells)).astype(np.float32))
    return np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC))


def _folder(root: str, kind: str) -> str:
    return osp.join(root, *dict(
        image=('JPEGImages', ), mask=('SegmentationClassAug', ),
        list=('ImageSets', 'Segmentation'))[kind])


def _write_scene(root: str, name: str, scene: Scene) -> None:
    Image.fromarray(scene.image).save(
        osp.join(_folder(root, 'image'), f'{name}.jpg'), quality=95)
    mask = Image.fromarray(scene.mask)
    mask.putpalette([value for color in PALETTE for value in color])
    mask.save(osp.join(_folder(root, 'mask'), f'{name}.png'))


def _write_lines(path: str, lines: Sequence[str]) -> None:
    with open(path, 'w', encoding='utf-8', newline='\n') as file:
        file.writelines(f'{line}\n' for line in lines)


def _is_complete(root: str, record: dict, force: bool) -> bool:
    """Whether ``root`` holds DigitScenes as ``record`` describes it."""
    path = osp.join(root, _RECORD)
    if not osp.isfile(path):
        return False
    try:
        found = read_json(path)
        differences = [
            f'{name}={found.get(name)} (asked for: {value})'
            for name, value in record.items() if found.get(name) != value]
    except (ValueError, AttributeError):
        differences = ['a damaged record']
    if differences and not force:
        raise DataError(f'{path}: made with {", ".join(differences)}; give '
                        'another folder, or redo this one with --force')
    return not differences


def _start_folder(root: str, record: dict) -> None:
    """Empty ``root`` of old scenes and mark it as unfinished."""
    path = osp.join(root, _RECORD)
    marks = (path, path + '.part')
    if osp.exists(root) and not osp.isdir(root):
        raise DataError(f'{root}: not a folder; give another name')
    if osp.isdir(root) and os.listdir(root) and not any(
            map(osp.isfile, marks)):
        # Perhaps the user's VOC: never write over its lists.
        raise DataError(f'{root}: not empty, and not DigitScenes; give '
                        'another folder')
    os.makedirs(root, exist_ok=True)
    if osp.isfile(path):
        os.replace(path, path + '.part')
    else:
        _write_lines(path + '.part', [json.dumps(record)])
    for kind in ('image', 'mask', 'list'):
        folder = _folder(root, kind)
        os.makedirs(folder, exist_ok=True)
        for name in os.listdir(folder):
            if name.startswith(_SPLITS):
                os.remove(osp.join(folder, name))


def _finish_folder(root: str, record: dict) -> None:
    path = osp.join(root, _RECORD)
    _write_lines(path + '.part', [json.dumps(record)])
    os.replace(path + '.part', path)
