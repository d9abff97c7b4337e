"""Small pictures inside a page."""
import base64
import io

import numpy as np
import pytest
from PIL import Image

from mmwsss.visualization.report import map_uri, mask_uri, photo_uri
from mmwsss.visualization.report.thumbnails import MAP_SIDE, PHOTO_SIDE

PALETTE = [[0, 0, 0], *([i, 255 - i, 7] for i in range(200))]


def opened(uri):
    head, data = uri.split(',')
    assert head in ('data:image/webp;base64', 'data:image/png;base64')
    return Image.open(io.BytesIO(base64.b64decode(data)))


def test_a_photo_is_small_and_keeps_its_shape():
    photo = np.random.default_rng(0).integers(
        0, 255, (600, 900, 3), dtype=np.uint8)
    picture = opened(photo_uri(photo))
    assert picture.size == (PHOTO_SIDE, round(PHOTO_SIDE * 2 / 3))
    flat = np.full((30, 40, 3), (200, 30, 30), np.uint8)
    red = np.asarray(opened(photo_uri(flat)).convert('RGB'))
    assert red.shape == (30, 40, 3)
    assert np.abs(red.astype(int) - flat).max() < 12


@pytest.mark.parametrize('values', [[0], [7], [0, 1], [0, 1, 2, 255],
                                    [*range(20)], [*range(100)], [0, 250]])
def test_a_mask_has_the_colours_and_an_open_background(values):
    mask = np.resize(np.array(values, np.uint8), (20, 10)).repeat(3, 1)
    picture = np.asarray(opened(mask_uri(mask, PALETTE)).convert('RGBA'))
    assert picture.shape == (20, 30, 4)
    for value in values:
        [pixel] = np.unique(picture[mask == value], axis=0).tolist()
        if value == 0:
            assert pixel[3] == 0
        else:
            known = value < len(PALETTE)
            assert pixel == [*(PALETTE[value] if known else [255] * 3), 255]


def test_a_map_is_grey():
    ramp = np.linspace(0, 1, 300, dtype=np.float32)[None].repeat(100, 0)
    picture = np.asarray(opened(map_uri(ramp)).convert('L')).astype(int)
    assert picture.shape == (round(MAP_SIDE / 3), MAP_SIDE)
    assert picture[:, 0].max() < 12 and picture[:, -1].min() > 243
