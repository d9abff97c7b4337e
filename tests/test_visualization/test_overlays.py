"""Photos with heat maps or masks over them."""
import numpy as np
import pytest
from PIL import Image

from mmwsss.files.masks import write_mask
from mmwsss.visualization import overlays, photo_row
from mmwsss.visualization.overlays import (
    heat_map_row,
    heat_overlay,
    legend,
    mask_overlay,
    picture_sheet,
    write_picture,
)

PALETTE = [[0, 0, 0], [200, 0, 0], [0, 0, 200]]


def test_heat_is_red_where_the_map_is_high():
    photo = np.full((40, 60, 3), 100, np.uint8)
    small = np.zeros((4, 6), np.float32)
    small[:, 3:] = 1
    picture = heat_overlay(photo, small)
    assert picture.shape == photo.shape and picture.dtype == np.uint8
    red, green, blue = picture[20, 55]
    assert red > 100 and green == blue == 50
    red, green, blue = picture[20, 5]
    assert blue > 100 and red == green == 50


def test_a_row_has_the_photo_and_a_map_for_each_class():
    photo = np.zeros((8, 8, 3), np.uint8)
    row = heat_map_row(photo, np.zeros((2, 4, 4), np.float32), ['a', 'b'])
    assert [caption for caption, _ in row] == ['', 'a', 'b']
    assert row[0][1] is photo


def test_a_mask_colours_objects_and_whitens_what_is_ignored():
    photo = np.full((1, 4, 3), 100, np.uint8)
    mask = np.array([[0, 1, 2, 255]])
    picture = mask_overlay(photo, mask, PALETTE, opacity=0.5)
    assert picture[0].tolist() == [[100] * 3, [150, 50, 50], [50, 50, 150],
                                   [177] * 3]


def test_a_sheet_stands_in_columns_of_equal_width(monkeypatch):
    monkeypatch.setattr(overlays, '_TILE', 20)
    monkeypatch.setattr(overlays, '_NARROWEST', 20)
    black = np.zeros((10, 10, 3), np.uint8)
    wide = np.zeros((10, 30, 3), np.uint8)
    rows = [[('', black)], [('a', black), ('b', wide)], [('', black)]]
    head, gap = overlays._LINE, overlays._GAP
    line = head + 20 + gap
    assert picture_sheet(rows).shape == (3 * line, 20 + 60 + 2 * gap, 3)
    sheet = picture_sheet(rows, columns=2)
    width = 80 + 2 * gap
    assert sheet.shape == (2 * line, 2 * width, 3)
    # The picture below its caption; white right of it and where none is.
    assert (sheet[head:head + 20, :20] == 0).all()
    assert (sheet[:head, :20] == 255).all()
    assert (sheet[:line, 20:width] == 255).all()
    assert (sheet[line:, width:] == 255).all()
    # A caption is written.
    assert (sheet[:head, width:width + 20] < 128).any()


@pytest.mark.parametrize('columns', [1, 2, 3])
@pytest.mark.parametrize('counts', [
    [2], [2, 2], [3, 3, 3], [3, 4, 3], [3, 9, 3, 3], [3] * 11 + [22]])
def test_a_sheet_is_no_larger_than_what_is_on_it(columns, counts,
                                                 monkeypatch):
    """However many photos there are, and classes on one of them."""
    monkeypatch.setattr(overlays, '_TILE', 240)
    photo = np.zeros((30, 40, 3), np.uint8)
    sheet = picture_sheet([[('', photo)] * count for count in counts],
                          columns=columns)
    shown = (sheet == 0).all(2).sum()
    assert shown == pytest.approx(
        sum(counts) * overlays._TILE ** 2 * 4 / 3, rel=0.01)
    if columns == 1 or len(counts) <= columns:
        assert shown > 0.55 * sheet[..., 0].size
    # What is at the edges is no more than a gap.
    edges = [(sheet == 0).all(2).any(axis).nonzero()[0].max() + 1
             for axis in (1, 0)]
    assert all(0 <= size - edge <= overlays._GAP
               for size, edge in zip(sheet.shape, edges))


def test_long_captions_of_one_photo_leave_no_white_above_others():
    photo = np.zeros((30, 40, 3), np.uint8)
    plain, other = [('mask', photo)], [('\n' * 8 + 'mask', photo)]
    heights = [picture_sheet(rows).shape[0] for rows in (
        [plain], [other], [plain, other, plain])]
    assert heights[2] == 2 * heights[0] + heights[1]


def test_equal_rows_stay_whole():
    photo = np.zeros((30, 40, 3), np.uint8)
    one, two = (picture_sheet([[('', photo)] * 12] * count)
                for count in (1, 2))
    assert two.shape == (2 * one.shape[0], *one.shape[1:])


def test_captions_of_several_lines_are_all_there(monkeypatch):
    monkeypatch.setattr(overlays, '_TILE', 20)
    black = np.zeros((10, 10, 3), np.uint8)
    one, two = (picture_sheet([[(text, black)]])
                for text in ('mask', 'mask\ncat 50 %'))
    assert two.shape[0] == one.shape[0] + overlays._LINE
    second = two[overlays._LINE:2 * overlays._LINE]
    assert (second < 128).any()


@pytest.mark.parametrize('name', ['x' * 500, 'ü' * 90, 'a b ' * 60])
def test_a_caption_stays_above_its_picture(name):
    black = np.zeros((10, 10, 3), np.uint8)
    sheet = picture_sheet([[(name, black), ('', black)]])
    shown = (sheet[:overlays._LINE] < 200).any((0, 2)).nonzero()[0]
    assert 100 < shown.max() < sheet.shape[1] // 2


def test_a_legend_names_every_colour():
    black = np.zeros((10, 10, 3), np.uint8)
    classes = ['background', *(f'class {i}' for i in range(40))]
    palette = [[0, 0, 0], *([i, 255 - i, 7] for i in range(40))]
    sheet = picture_sheet([[('', black)]], legend=legend(classes, palette))
    colours = {tuple(one) for one in sheet.reshape(-1, 3).tolist()}
    assert {tuple(one) for one in palette} <= colours
    # All of it is inside, on as many lines as that takes.
    plain = picture_sheet([[('', black)]])
    assert sheet.shape[1] == plain.shape[1]
    assert (sheet.shape[0] - plain.shape[0]) % overlays._LINE == 0


def test_a_picture_is_written(tmp_path):
    picture = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    write_picture(str(tmp_path / 'new' / 'a.png'), picture)
    with Image.open(tmp_path / 'new' / 'a.png') as image:
        assert np.array_equal(np.asarray(image), picture)


def test_a_row_is_never_larger_than_a_picture(tmp_path):
    Image.new('RGB', (1600, 1200), 'green').save(tmp_path / 'a.png')
    mask = np.zeros((1200, 1600), np.uint8)
    mask[:, 800:] = 1
    write_mask(str(tmp_path / 'mask.png'), mask, [[0, 0, 0], [255, 0, 0]])
    row = photo_row('a', str(tmp_path / 'a.png'), [
        ('mask', str(tmp_path / 'mask.png'), None),
        ('truth', str(tmp_path / 'no.png'), None), ('other', None, None)],
        [[0, 0, 0], [255, 0, 0]],
        [(name, np.ones((3, 4), np.float32)) for name in ('cat', 'dog')])
    assert [caption for caption, _ in row] == ['a', 'map of cat',
                                               'map of dog', 'mask']
    assert {picture.shape for _, picture in row} == {(480, 640, 3)}
    assert row[3][1][0, 0].tolist() != row[2][1][0, -1].tolist()


def test_captions_have_letters_of_other_languages():
    boxes = {overlays._font().getmask(letter).getbbox()
             and bytes(overlays._font().getmask(letter)) for letter in 'äłжç'}
    assert len(boxes) == 4  # a font without them draws one box for all
