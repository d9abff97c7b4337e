"""Photos with heat maps or masks laid over them."""
import io
import os.path as osp
from typing import List, Optional, Sequence, Tuple

import numpy as np
from PIL import Image, ImageDraw

from mmwsss.files.atomic import write_atomically
from mmwsss.files.masks import MaskClasses, read_mask
from mmwsss.files.photos import read_photo
from mmwsss.files.work_size import fit_mask, fit_photo, work_size

Tile = Tuple[str, np.ndarray]  # caption, RGB picture
# Caption, path and meaning of a mask.
MaskTile = Tuple[str, Optional[str], Optional[MaskClasses]]

PICTURE_SIDE = 640
"""Pixels of the longer side of a photo in a picture, at most."""

_TILE = 240  # pixels, height of a picture in a sheet
_CAPTION = 16  # pixels, height of its caption


def heat_overlay(photo: np.ndarray, class_map: np.ndarray) -> np.ndarray:
    """A photo under the colours of a map.

    Args:
        photo (np.ndarray): RGB, uint8, (H, W, 3).
        class_map (np.ndarray): In [0, 1], (h, w), any size.

    Returns:
        np.ndarray: RGB, uint8, (H, W, 3).
    """
    from matplotlib import colormaps
    small = Image.fromarray(np.rint(class_map * 255).astype(np.uint8))
    level = np.asarray(small.resize(photo.shape[1::-1],
                                    Image.Resampling.BILINEAR))
    heat = colormaps['jet'](level)[..., :3] * 255
    return (photo * 0.5 + heat * 0.5).astype(np.uint8)


def heat_map_row(photo: np.ndarray, maps: np.ndarray,
                 names: Sequence[str]) -> List[Tile]:
    """A photo and beside it one heat map a class.

    Args:
        photo (np.ndarray): RGB, uint8, (H, W, 3).
        maps (np.ndarray): In [0, 1], (K, h, w).
        names (Sequence[str]): K captions.

    Returns:
        list[Tile]: A row for :func:`picture_sheet`.
    """
    return [('', photo)] + [(name, heat_overlay(photo, class_map))
                            for name, class_map in zip(names, maps)]


def mask_overlay(photo: np.ndarray, mask: np.ndarray,
                 palette: Sequence[Sequence[int]],
                 opacity: float = 0.6) -> np.ndarray:
    """A photo with the colours of a mask; 255 (ignore) becomes white.

    Args:
        photo (np.ndarray): RGB, uint8, (H, W, 3).
        mask (np.ndarray): 0 background, 1..C, 255 ignore, (H, W).
        palette (Sequence[Sequence[int]]): RGB colours of the classes, 0..255,
            background first.
        opacity (float): Share of the colours in [0, 1], the rest being the
            photo's. Defaults to 0.6.

    Returns:
        np.ndarray: RGB, uint8, (H, W, 3).
    """
    colours = np.full((256, 3), 255, dtype=np.float32)
    colours[:len(palette)] = palette
    mixed = photo * (1 - opacity) + colours[mask] * opacity
    return np.where((mask > 0)[..., None], mixed, photo).astype(np.uint8)


def photo_row(caption: str, img_path: str,
              masks: Sequence[MaskTile], palette: Sequence,
              heat: Optional[np.ndarray] = None) -> List[Tile]:
    """A photo, a map over it and masks over it, none of them large.

    Args:
        caption (str): Stands above the photo.
        img_path (str): The photo.
        masks (Sequence[tuple]): Caption, path of the mask, and what its
            values stand for, see :func:`~mmwsss.files.masks.read_mask`. A path
            that is None, or that is not there, is left out.
        palette (Sequence): RGB colours of the classes, background first.
        heat (np.ndarray, optional): A map in [0, 1], (h, w). Defaults to
            None: no map.

    Returns:
        list[tuple]: Captions and pictures, for :func:`picture_sheet`.
    """
    # It was read before: what is shown need not be whole.
    photo = read_photo(img_path, lenient=True)
    size = work_size(photo.shape[:2], PICTURE_SIDE)
    photo = fit_photo(photo, size)
    row = [(caption, photo)]
    if heat is not None:
        row.append(('strongest map', heat_overlay(photo, heat)))
    row += [(title, mask_overlay(
        photo, fit_mask(read_mask(path, classes), size), palette))
        for title, path, classes in masks if path and osp.isfile(path)]
    return row


def picture_sheet(rows: Sequence[Sequence[Tile]],
                  columns: int = 1) -> np.ndarray:
    """Pictures with captions, in rows of equal height on white.

    Args:
        rows (Sequence[Sequence[Tile]]): Captions and RGB pictures; at least
            one row.
        columns (int): Rows that stand side by side. Defaults to 1.

    Returns:
        np.ndarray: RGB, uint8, (h, w, 3).
    """
    pictures = [np.concatenate([_scaled(*tile) for tile in row], axis=1)
                for row in rows]
    width = max(picture.shape[1] for picture in pictures)
    shape = (-(-len(rows) // columns), columns, _TILE + _CAPTION, width, 3)
    sheet = np.full(shape, 255, dtype=np.uint8)
    for i, picture in enumerate(pictures):
        sheet[i // columns, i % columns, :, :picture.shape[1]] = picture
    lines, _, height, _, _ = shape
    return sheet.transpose(0, 2, 1, 3, 4).reshape(
        lines * height, columns * width, 3)


def write_picture(path: str, picture: np.ndarray) -> None:
    """Write a picture as PNG, whole or not at all.

    Args:
        path (str): Where to write.
        picture (np.ndarray): RGB, uint8, (H, W, 3).
    """
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format='PNG')
    write_atomically(path, buffer.getvalue())


def _scaled(caption: str, picture: np.ndarray) -> np.ndarray:
    """Scale a picture to the common height and write its caption above."""
    width = int(np.clip(picture.shape[1] * _TILE / picture.shape[0], 1,
                        4 * _TILE))
    canvas = Image.new('RGB', (width + 4, _TILE + _CAPTION), 'white')
    canvas.paste(Image.fromarray(picture).resize((width, _TILE)),
                 (0, _CAPTION))
    ImageDraw.Draw(canvas).text((2, 1), caption, fill='black')
    return np.asarray(canvas)
