"""Damaged JPEGs are told from whole ones."""
import io
import random

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from mmwsss.files.photos import decode_photo
from mmwsss.problems import DataError


def ramps(size=256):
    y, x = np.mgrid[:size, :size]
    return np.stack([x, y, x * y // size], 2).astype(np.uint8)


def encoded(photo, **options):
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, 'JPEG', **options)
    return buffer.getvalue()


def damaged(data, rng):
    """Lost bytes, flipped bits, or an early end marker."""
    place = rng.randrange(len(data) // 10, len(data) - 600)
    kind = rng.randrange(3)
    if kind == 0:
        return data[:place] + data[place + rng.choice([16, 100, 400]):]
    if kind == 1:
        changed = bytearray(data)
        for _ in range(10):
            changed[rng.randrange(620, len(data))] ^= 1 << rng.randrange(8)
        return bytes(changed)
    return data[:place] + b'\xff\xd9'


def test_no_badly_damaged_jpeg_passes():
    data = encoded(ramps(), quality=95)
    whole = decode_photo(data, 'a.jpg').astype(int)
    rng, passed, lenient = random.Random(0), [], 0
    for _ in range(200):
        bad = damaged(data, rng)
        try:
            decode_photo(bad, 'bad.jpg', lenient=True)
            lenient += 1
            photo = decode_photo(bad, 'bad.jpg')
        except DataError as error:
            assert 'bad.jpg: damaged' in str(error)
            continue
        passed.append((abs(photo - whole).max(2) > 30).mean())
    assert lenient > 100  # that is how many Pillow decodes
    assert not any(wrong > 0.1 for wrong in passed)


@pytest.mark.parametrize('options', [
    dict(quality=95), dict(quality=30), dict(progressive=True),
    dict(subsampling=0), dict(restart_marker_rows=2), dict(optimize=True)])
def test_whole_jpegs_pass(options):
    decode_photo(encoded(ramps(), **options), 'a.jpg')
    decode_photo(encoded(ramps()[..., 0], **options), 'a.jpg')


def test_a_seam_without_a_warning_is_seen():
    rng = np.random.default_rng(0)
    photo = rng.integers(90, 110, (160, 160, 3), dtype=np.uint8)
    decode_photo(encoded(photo), 'a.jpg')
    photo[80:] += 60
    decode_photo(encoded(photo), 'edge.jpg')  # a straight edge is a picture's
    photo[64:80, 80:] += 60
    with pytest.raises(DataError, match='seam.jpg: damaged .a shift from'):
        decode_photo(encoded(photo), 'seam.jpg')


def test_bytes_that_the_decoder_read_ahead_are_seen():
    data = encoded(ramps())
    # It does not warn of so few, nor does it need them.
    more = data[:-2] + bytes([0x55] * 2) + data[-2:]
    simplejpeg.decode_jpeg(more)
    with pytest.raises(DataError, match='damaged .data left over'):
        decode_photo(more, 'more.jpg')


@pytest.mark.parametrize('end', [b'\xff\xd9', b''])
def test_thousands_of_scans_are_refused_before_they_are_decoded(end):
    data = encoded(ramps(), progressive=True)
    scan = data[data.rfind(b'\xff\xda'):-2]
    with pytest.raises(DataError, match='many.jpg: a JPEG of over 100 scans'):
        decode_photo(data[:-2] + 3000 * scan[:20] + end, 'many.jpg')
