"""Masks with one class index a pixel."""
import numpy as np
import pytest
from PIL import Image

from mmwsss.files.masks import decode_mask, read_mask, write_mask
from mmwsss.problems import DataError

PALETTE = [[0, 0, 0], [255, 0, 0], [0, 0, 255]]


def test_indices_and_colours_come_back(tmp_path):
    mask = np.array([[0, 1, 2], [255, 200, 1]])
    path = str(tmp_path / 'new' / 'a.png')
    write_mask(path, mask, PALETTE)
    read = read_mask(path)
    assert read.dtype == np.uint8 and np.array_equal(read, mask)
    with Image.open(path) as image:
        assert image.mode == 'P'
        colours = np.array(image.getpalette()).reshape(-1, 3)
        shown = np.asarray(image.convert('RGB'))
    assert colours[:3].tolist() == PALETTE
    # Ignored pixels have VOC's cream colour, other values are black.
    assert shown[1, 0].tolist() == [224, 224, 192]
    assert shown[1, 1].tolist() == [0, 0, 0]


@pytest.mark.parametrize('mode', ['L', 'P', '1'])
def test_every_index_picture_is_read(tmp_path, mode):
    image = Image.new(mode, (5, 4))
    image.putpixel((2, 1), 1)
    image.save(tmp_path / 'a.png')
    mask = read_mask(str(tmp_path / 'a.png'))
    assert mask.shape == (4, 5) and mask[1, 2] == 1 and mask.sum() == 1


def test_what_is_no_mask_is_named(tmp_path):
    Image.new('RGB', (5, 4)).save(tmp_path / 'rgb.png')
    with pytest.raises(DataError, match=r'rgb.png: a mask has one index a '
                       r'pixel, this is a picture of shape \(4, 5, 3\)'):
        read_mask(str(tmp_path / 'rgb.png'))
    (tmp_path / 'torn.png').write_bytes(
        (tmp_path / 'rgb.png').read_bytes()[:40])
    for name in ('torn.png', 'none.png'):
        with pytest.raises(DataError, match=f'{name}: mask cannot be read'):
            read_mask(str(tmp_path / name))
    with pytest.raises(DataError, match='a.zip: b.png: mask cannot be read'):
        decode_mask(b'no picture', 'a.zip: b.png')
