"""Blocks and colours that no photo gives."""
import io

import numpy as np
import pytest
from PIL import Image

from mmwsss.files.jpeg_limits import impossible_block
from mmwsss.files.jpeg_segments import quantization_tables


def encoded(photo, **options):
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, 'JPEG', **options)
    return buffer.getvalue()


def with_steps(content, factor):
    """The same numbers, with steps that are larger: other contrast."""
    changed = bytearray(content)
    for _, place, steps in quantization_tables(content):
        larger = (steps.astype(int) * factor).clip(1, 255).astype('u1')
        changed[place:place + 64] = larger.tobytes()
    return bytes(changed)


OPTIONS = [dict(quality=92), dict(quality=30), dict(quality=100),
           dict(subsampling=0), dict(progressive=True),
           dict(subsampling=1), dict(restart_marker_rows=1)]


@pytest.mark.parametrize('options', OPTIONS)
@pytest.mark.parametrize('kind', ['noise', 'checks', 'white', 'colours'])
def test_what_an_encoder_makes_is_possible(kind, options):
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:70, :90]
    photo = {
        'noise': rng.integers(0, 2, (70, 90, 3)) * 255,
        'checks': np.stack([(x + y) % 2 * 255] * 3, 2),
        'white': np.full((70, 90, 3), 255),
        'colours': rng.integers(0, 2, (5, 6, 3)).repeat(14, 0).repeat(
            15, 1) * 255}[kind].astype(np.uint8)
    assert impossible_block(encoded(photo, **options)) is None
    assert impossible_block(encoded(photo[..., 1], **options)) is None


@pytest.mark.parametrize('options', OPTIONS[:2] + OPTIONS[3:])
@pytest.mark.parametrize('level', [20, 235])
def test_brighter_than_white_or_darker_than_black(level, options):
    rng = np.random.default_rng(0)
    photo = rng.integers(-15, 15, (64, 64, 3)) + 128
    photo[16:32, 16:32] += level - 128
    content = encoded(photo.clip(0, 255).astype(np.uint8), **options)
    assert impossible_block(content) is None
    assert 'brighter than white' in impossible_block(with_steps(content, 1.6))


def test_a_colour_that_is_none():
    # Each component alone is possible: dark, and much of red.
    red = encoded(np.full((64, 64, 3), (255, 0, 0), np.uint8), quality=95)
    colour = Image.open(io.BytesIO(red))
    colour.draft('YCbCr', colour.size)
    pixels = np.array(colour)
    pixels[..., 0] = 10
    buffer = io.BytesIO()
    Image.fromarray(pixels, 'YCbCr').save(buffer, 'JPEG', quality=95)
    assert 'a colour' in impossible_block(buffer.getvalue())


@pytest.mark.parametrize('mode', ['CMYK', 'RGB'])
def test_what_is_not_ycbcr_is_left_alone(mode):
    buffer = io.BytesIO()
    Image.new(mode, (32, 32), 'red').save(
        buffer, 'JPEG', **(dict(keep_rgb=True) if mode == 'RGB' else {}))
    assert impossible_block(buffer.getvalue()) is None


@pytest.mark.parametrize('size', [(1, 1), (8, 8), (7, 40), (40, 7), (9, 17)])
def test_small_photos(size):
    photo = np.full((*size, 3), (255, 0, 40), np.uint8)
    assert impossible_block(encoded(photo)) is None
    assert impossible_block(encoded(photo[..., 0])) is None
