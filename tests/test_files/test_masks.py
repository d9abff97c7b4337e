"""Masks with one class index a pixel."""
import numpy as np
import pytest
from mmseg.datasets.transforms import LoadAnnotations
from PIL import Image

from mmwsss.files.masks import (
    MaskClasses,
    decode_mask,
    read_mask,
    write_mask,
)
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


@pytest.mark.parametrize('content, why', [
    (b'', 'empty, or of no kind that Pillow knows'),
    (b'no picture', 'empty, or of no kind that Pillow knows'),
    (None, 'No such file or directory'),
    ('folder', 'Is a directory'),
])
def test_why_a_mask_cannot_be_read(content, why, tmp_path):
    path = tmp_path / 'a.png'
    if content == 'folder':
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_mask(str(path))
    assert str(caught.value) == (f'{path}: mask cannot be read ({why}); put a '
                                 'whole one there or leave its photo out')


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


@pytest.mark.parametrize('mode, dtype', [('I;16', np.uint16), ('I', np.int32)])
def test_wide_indices_are_taken_and_never_cut_off(tmp_path, mode, dtype):
    path = str(tmp_path / 'a.tif')
    Image.fromarray(np.array([[0, 2, 255]], dtype)).save(path)
    mask = read_mask(path, MaskClasses(3))
    assert mask.dtype == np.uint8 and mask.tolist() == [[0, 2, 255]]
    Image.fromarray(np.array([[0, 256, 512]], dtype)).save(path)
    with pytest.raises(DataError, match='a.tif: values 256, 512, but those'):
        read_mask(path)


@pytest.mark.parametrize('values, named', [
    ([[0, 38, 75]], 'values 38, 75'), ([[3, 255]], 'value 3'),
    ([list(range(3, 20))], r'values 3, 4, 5, 6, 7, 8, \.\.\.'),
    ([[254, 0]], 'value 254')])
def test_values_that_are_no_class_are_named(tmp_path, values, named):
    path = str(tmp_path / 'a.png')
    Image.fromarray(np.array(values, np.uint8)).save(path)
    with pytest.raises(DataError, match=f'a.png: {named}, but there are 3 '
                       'classes .*label_map or reduce_zero_label'):
        read_mask(path, MaskClasses(3))
    assert read_mask(path).tolist() == values


@pytest.mark.parametrize('mode', ['RGB', 'RGBA', 'LA', 'CMYK', 'F'])
def test_colours_are_refused(tmp_path, mode):
    path = str(tmp_path / 'a.tif')
    Image.new(mode, (5, 4)).save(path)
    with pytest.raises(DataError, match=f'a mask has one .*mode {mode}'):
        read_mask(path)


def test_a_jpeg_has_lost_its_indices(tmp_path):
    path = str(tmp_path / 'a.png')
    Image.new('L', (5, 4)).save(path, format='JPEG')
    with pytest.raises(DataError, match='a.png: a mask in JPEG has lost'):
        read_mask(path)


def test_values_are_mapped_as_mmseg_maps_them(tmp_path):
    path = str(tmp_path / 'a.png')
    values = np.array([[0, 1, 2, 8, 255]], np.uint8)
    Image.fromarray(values).save(path)
    options = [dict(label_map={0: 0, 1: 255, 2: 255, 8: 1}),
               dict(reduce_zero_label=True)]
    for option in options:
        results = dict(seg_map_path=path, seg_fields=[],
                       **dict(dict(label_map=None, reduce_zero_label=False),
                              **option))
        want = LoadAnnotations()(results)['gt_seg_map']
        count = 2 if 'label_map' in option else 8
        assert (read_mask(path, MaskClasses(count, **option)) == want).all()
    with pytest.raises(DataError, match='value 8, but there are 2'):
        read_mask(path, MaskClasses(2, label_map={1: 0, 2: 1}))


def test_more_classes_than_8_bits_hold(tmp_path):
    assert MaskClasses(255).count == 255
    with pytest.raises(DataError, match='256 classes with background, but '
                       'masks have 8 bits'):
        MaskClasses(256)
    with pytest.raises(DataError, match='a.png: class 256, but'):
        write_mask(str(tmp_path / 'a.png'), np.array([[0, 256]]), PALETTE)
