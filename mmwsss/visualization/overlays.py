"""Photos with heat maps or masks laid over them."""
import io
import os.path as osp
from functools import cache
from itertools import accumulate
from typing import Any, List, Optional, Sequence, Tuple

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

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
_NARROWEST = 150  # pixels, width of a picture's place, so that captions fit
_FONT = 14  # pixels, height of a letter
_LINE = 18  # pixels, height of a line of a caption
_GAP = 6  # pixels between pictures
_WIDEST = 7  # heights of a picture that any row may be wide: four photos


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
              heat: Sequence[Tile] = ()) -> List[Tile]:
    """A photo, maps over it and masks over it, none of them large.

    Args:
        caption (str): Stands above the photo.
        img_path (str): The photo.
        masks (Sequence[tuple]): Caption, path of the mask, and what its
            values stand for, see :func:`~mmwsss.files.masks.read_mask`. A path
            that is None, or that is not there, is left out.
        palette (Sequence): RGB colours of the classes, background first.
        heat (Sequence[tuple]): Class and its map in [0, 1], (h, w). Defaults
            to none.

    Returns:
        list[tuple]: Captions and pictures, for :func:`picture_sheet`.
    """
    # It was read before: what is shown need not be whole.
    photo = read_photo(img_path, lenient=True)
    size = work_size(photo.shape[:2], PICTURE_SIDE)
    photo = fit_photo(photo, size)
    row = [(caption, photo)]
    row += [(f'map of {name}', heat_overlay(photo, one))
            for name, one in heat]
    row += [(title, mask_overlay(
        photo, fit_mask(read_mask(path, classes), size), palette))
        for title, path, classes in masks if path and osp.isfile(path)]
    return row


def legend(classes: Sequence[str], palette: Sequence[Sequence[int]]
           ) -> List[Tuple[str, Tuple[int, ...]]]:
    """Names and colours for :func:`picture_sheet`; background has none.

    Args:
        classes (Sequence[str]): Names of all classes, 'background' first.
        palette (Sequence): Their RGB colours, 0..255.
    """
    entries = [(name, tuple(colour))
               for name, colour in zip(classes[1:], palette[1:])]
    return [*entries, ('unknown', (255, 255, 255))]


def picture_sheet(rows: Sequence[Sequence[Tile]], columns: int = 1,
                  legend: Sequence[Tuple[str, Sequence[int]]] = ()
                  ) -> np.ndarray:
    """Pictures with captions, in rows of equal height on white.

    A row that is much wider than most goes on below, so that the others leave
    little white.

    Args:
        rows (Sequence[Sequence[Tile]]): Captions, of one or more lines, and
            RGB pictures; at least one row.
        columns (int): Rows that stand side by side, at most. Defaults to 1.
        legend (Sequence[tuple]): Names and RGB colours that are explained
            below. Defaults to none.

    Returns:
        np.ndarray: RGB, uint8, (h, w, 3).
    """
    columns = min(columns, len(rows))
    groups = [_bands(rows[i:i + columns])
              for i in range(0, len(rows), columns)]
    limit = max(_WIDEST * _TILE, int(np.median(
        [sum(one.width for one in band) for group in groups
         for band in group])))
    stacks = [[_stacked(band, limit) for band in group] for group in groups]
    width = max(one.width for group in stacks for one in group)
    right = max(i * width + one.width for group in stacks
                for i, one in enumerate(group))
    heights = [max(one.height for one in group) for group in stacks]
    height = sum(heights)
    keys = _legend_lines(legend, right)
    sheet = Image.new('RGB', (right, height + _LINE * len(keys)), 'white')
    for group, above in zip(stacks, accumulate(heights, initial=0)):
        for i, one in enumerate(group):
            sheet.paste(one, (i * width, above))
    draw = ImageDraw.Draw(sheet)
    for i, line in enumerate(keys):
        for left, name, colour in line:
            top = height + i * _LINE
            draw.rectangle((left, top + 3, left + 11, top + 14),
                           fill=tuple(colour), outline='black')
            draw.text((left + 16, top + 1), name, fill='black', font=_font())
    return np.asarray(sheet)


def _bands(rows: Sequence[Sequence[Tile]]) -> List[List[Image.Image]]:
    """The pictures of rows that stand side by side, under their captions."""
    head = _LINE * max(1 + caption.count('\n')
                       for row in rows for caption, _ in row)
    return [[_scaled(caption, picture, head) for caption, picture in row]
            for row in rows]


def _stacked(band: Sequence[Image.Image], limit: int) -> Image.Image:
    """The pictures of a row in as many lines as that takes."""
    places, left, top = [], 0, 0
    step = band[0].height + _GAP
    for one in band:
        if left and left + one.width > limit:
            left, top = 0, top + step
        places.append((left, top))
        left += one.width
    canvas = Image.new('RGB', (max(
        left + one.width for (left, _), one in zip(places, band)),
        top + step), 'white')
    for place, one in zip(places, band):
        canvas.paste(one, place)
    return canvas


@cache
def _font() -> Any:
    # Pillow's own font lacks most letters beyond English.
    return ImageFont.truetype(osp.join(
        matplotlib.get_data_path(), 'fonts', 'ttf', 'DejaVuSans.ttf'), _FONT)


def _legend_lines(entries: Sequence[Tuple[str, Sequence[int]]], width: int
                  ) -> List[List[Tuple[int, str, Sequence[int]]]]:
    """Left edge, name and colour of each entry, by line."""
    lines: List[List[Tuple[int, str, Sequence[int]]]] = []
    left = width
    for name, colour in entries:
        needed = int(_font().getlength(name)) + 32
        if left + needed > width:
            lines.append([])
            left = 4
        lines[-1].append((left, name, colour))
        left += needed
    return lines


def write_picture(path: str, picture: np.ndarray) -> None:
    """Write a picture as PNG, whole or not at all.

    Args:
        path (str): Where to write.
        picture (np.ndarray): RGB, uint8, (H, W, 3).
    """
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format='PNG')
    write_atomically(path, buffer.getvalue())


def _scaled(caption: str, picture: np.ndarray, head: int) -> Image.Image:
    """Scale a picture to the common height and write its caption above."""
    width = int(np.clip(picture.shape[1] * _TILE / picture.shape[0], 1,
                        4 * _TILE))
    place = max(width, _NARROWEST)
    canvas = Image.new('RGB', (place + _GAP, _TILE + head), 'white')
    canvas.paste(Image.fromarray(picture).resize((width, _TILE)), (0, head))
    draw = ImageDraw.Draw(canvas)
    for i, line in enumerate(reversed(caption.split('\n')), 1):
        draw.text((2, head - i * _LINE), _shortened(line, place),
                  fill='black', font=_font())
    return canvas


def _shortened(text: str, width: int) -> str:
    """Text that is no wider than so many pixels."""
    short = text
    while short and _font().getlength(short) > width:
        short = short.removesuffix('...')[:-1] + '...'
        if short == '...':
            break
    return short
