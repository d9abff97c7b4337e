"""Damaged PNGs are refused; their headers are read without the pixels."""
import io

import numpy as np
import pytest
from PIL import Image

from mmwsss.files.photos import decode_photo, photo_size
from mmwsss.files.png_chunks import has_late_text, png_damage


@pytest.fixture
def png():
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(
        0, 255, (40, 60, 3), dtype=np.uint8)).save(buffer, 'PNG')
    return buffer.getvalue()


def test_a_whole_file(png):
    assert png_damage(io.BytesIO(png)) is None
    assert not has_late_text(io.BytesIO(png))


@pytest.mark.parametrize('place', [-20, -14, 300])
def test_wrong_checksums(png, place):
    changed = bytearray(png)
    changed[place] ^= 1
    assert 'checksum' in png_damage(io.BytesIO(changed))
    with pytest.raises(ValueError, match='bad.png: damaged'):
        decode_photo(bytes(changed), 'bad.png')


@pytest.mark.parametrize('share', [0.3, 0.6, 0.99])
def test_truncated_files(png, share, tmp_path):
    part = png[:int(len(png) * share)]
    assert 'truncated' in png_damage(io.BytesIO(part))
    (tmp_path / 'cut.png').write_bytes(part)
    with pytest.raises(ValueError, match='cut.png: damaged.*truncated'):
        photo_size(str(tmp_path / 'cut.png'))


def test_the_header_check_decodes_no_pixel(png, tmp_path, monkeypatch):
    (tmp_path / 'a.png').write_bytes(png)

    def load(self):
        raise AssertionError('decoded')

    monkeypatch.setattr('PIL.PngImagePlugin.PngImageFile.load', load)
    assert photo_size(str(tmp_path / 'a.png')) == (40, 60)
