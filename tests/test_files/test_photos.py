"""Photos of every kind people have: loaded, trained on, localized."""
import io
import os
import os.path as osp

import numpy as np
import pytest
import torch
from PIL import Image
from shapes import dataset_config, tiny_model

from mmwsss.files.photos import decode_photo, photo_size, read_photo
from mmwsss.problems import DataError
from mmwsss.registry import DATASETS, MODELS, TRANSFORMS


def load(path):
    loader = TRANSFORMS.build(dict(type='LoadPhoto'))
    return loader(dict(img_path=str(path)))['img']


def half_red(height=40, width=60):
    rgb = np.full((height, width, 3), 255, dtype=np.uint8)
    rgb[:, :width // 2] = (200, 0, 0)
    return rgb


def test_rgb_becomes_bgr(tmp_path):
    Image.fromarray(half_red()).save(tmp_path / 'a.png')
    img = load(tmp_path / 'a.png')
    assert img.dtype == np.uint8 and img.shape == (40, 60, 3)
    assert img[0, 0].tolist() == [0, 0, 200]


def test_greyscale(tmp_path):
    Image.fromarray(np.full((4, 5), 77, np.uint8)).save(tmp_path / 'a.png')
    assert (load(tmp_path / 'a.png') == 77).all()


def test_transparent_is_laid_on_white(tmp_path):
    rgba = np.zeros((4, 6, 4), dtype=np.uint8)
    rgba[:, :3] = (10, 20, 30, 255)
    Image.fromarray(rgba).save(tmp_path / 'a.png')
    img = load(tmp_path / 'a.png')
    assert img[0, 0].tolist() == [30, 20, 10]
    assert img[0, 5].tolist() == [255, 255, 255]


def test_cmyk(tmp_path):
    Image.fromarray(half_red()).convert('CMYK').save(
        tmp_path / 'a.jpg', quality=95)
    img = load(tmp_path / 'a.jpg').astype(int)
    assert np.abs(img[20, 10] - [0, 0, 200]).max() < 12
    assert np.abs(img[20, 50] - 255).max() < 12


def test_16_bit_is_scaled_not_clipped(tmp_path):
    values = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    Image.fromarray(values).save(tmp_path / 'a.png')
    img = load(tmp_path / 'a.png')
    np.testing.assert_array_equal(img[..., 0], values >> 8)


def test_exif_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it 90 degrees clockwise
    Image.fromarray(half_red()).save(tmp_path / 'a.jpg', exif=exif,
                                     quality=95)
    img = load(tmp_path / 'a.jpg').astype(int)
    assert img.shape == (60, 40, 3)
    assert img[5, 20, 2] > 150 and img[5, 20, 0] < 60  # red is on top
    assert img[55, 20, 0] > 200


def test_corrupt_jpeg_is_named(tmp_path):
    path = tmp_path / 'torn.jpg'
    Image.fromarray(half_red(200, 300)).save(path)
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(DataError, match='torn.jpg: damaged'):
        load(path)


@pytest.mark.parametrize('size', [(1, 1), (3, 700), (500, 2)])
def test_extreme_sizes_are_localized(shapes, size):
    Image.fromarray(np.full((*size, 3), 99, np.uint8)).save(
        osp.join(shapes, 'JPEGImages', 'img0.jpg'))
    os.remove(osp.join(shapes, 'SegmentationClassAug', 'img0.png'))
    dataset = DATASETS.build(dataset_config(shapes, test_mode=True))
    model = MODELS.build(tiny_model(test_cfg=dict(
        attention_layers=2, affinity_layers=3))).eval()
    sample = dataset[0]
    data = model.data_preprocessor(
        dict(inputs=[sample['inputs']], data_samples=[sample['data_samples']]))
    with torch.no_grad():
        predicted = model(**data, mode='localize')[0]
    maps = predicted.pred_maps.data
    assert maps.shape == (1, *size)
    assert torch.isfinite(maps).all() and 0 <= maps.min() <= maps.max() <= 1


@pytest.mark.parametrize('suffix', ['tif', 'png'])
@pytest.mark.parametrize('white', [255, 1023, 4095, 16383, 65535])
def test_integers_fill_the_depth_that_holds_them(tmp_path, suffix, white):
    values = np.linspace(0, white, 64).astype(np.uint16).reshape(8, 8)
    Image.fromarray(values).save(tmp_path / f'a.{suffix}')
    expected = np.linspace(0, 255, 64).reshape(8, 8)
    img = load(tmp_path / f'a.{suffix}')[..., 0]
    assert np.abs(img - expected).max() <= 1


def test_floats_from_0_to_1(tmp_path):
    values = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    Image.fromarray(values).save(tmp_path / 'a.tif')
    np.testing.assert_array_equal(load(tmp_path / 'a.tif')[..., 0],
                                  np.rint(values * 255))


@pytest.mark.parametrize('values', [
    np.float32([[0, 255]]), np.float32([[0, np.nan]]),
    np.float32([[-1, 1]]), np.int32([[0, 1 << 24]]), np.int32([[-5, 0]])])
def test_values_without_a_known_scale_are_refused(tmp_path, values):
    Image.fromarray(values).save(tmp_path / 'a.tif')
    with pytest.raises(DataError, match='a.tif: .*which is white'):
        load(tmp_path / 'a.tif')


@pytest.mark.parametrize('suffix', ['jpg', 'png', 'tif', 'webp'])
@pytest.mark.parametrize('orientation', [0, 1, 3, 6, 8, 9, 77, 65535])
def test_orientations_in_and_outside_the_standard(tmp_path, suffix,
                                                  orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = str(tmp_path / f'a.{suffix}')
    Image.fromarray(half_red()).save(path, exif=exif)
    turns = {3: 2, 6: -1, 8: 1}.get(orientation, 0)
    expected = np.rot90(half_red(), turns)
    photo = read_photo(path)
    assert photo_size(path) == photo.shape[:2] == expected.shape[:2]
    assert np.abs(photo.astype(int) - expected).mean() < 12


@pytest.mark.parametrize('suffix', [
    'jpg', 'png', 'webp', 'bmp', 'gif', 'tif', 'jfif', 'jpe'])
def test_truncated_files_of_each_kind_are_refused(tmp_path, suffix):
    rng = np.random.default_rng(0)
    path = tmp_path / f'a.{suffix}'
    Image.fromarray(rng.integers(0, 255, (90, 120, 3), dtype=np.uint8)).save(
        path, format='JPEG' if suffix in ('jfif', 'jpe') else None)
    content = path.read_bytes()
    load(path)
    for share in (0.3, 0.6, 0.95):
        path.write_bytes(content[:int(len(content) * share)])
        with pytest.raises(DataError, match=f'a.{suffix}: damaged'):
            load(path)


def test_heic_without_its_reader_says_what_to_install(tmp_path):
    path = tmp_path / 'a.heic'
    path.write_bytes(b'\0\0\0\x18ftypheic' + bytes(40))
    with pytest.raises(DataError, match='a.heic: (HEIC.*pillow-heif|damaged)'):
        load(path)


def test_a_missing_photo_is_named(tmp_path):
    for read in (load, read_photo, photo_size):
        with pytest.raises(DataError, match='gone.jpg: cannot be opened'):
            read(str(tmp_path / 'gone.jpg'))


def test_a_large_canvas_with_hardly_anything_on_it(tmp_path):
    """It would take gigabytes, and show nothing."""
    path = str(tmp_path / 'canvas.gif')
    Image.new('P', (16, 16)).save(path)
    content = bytearray(open(path, 'rb').read())
    content[6:10] = (13000).to_bytes(2, 'little') * 2
    with pytest.raises(DataError, match='canvas.gif: 13000 x 13000 pixels in'):
        decode_photo(bytes(content), path)
    # A plain picture of one colour is a photo, however small its file.
    Image.new('1', (4200, 4200)).save(tmp_path / 'plain.png')
    assert read_photo(str(tmp_path / 'plain.png')).shape == (4200, 4200, 3)


@pytest.mark.parametrize('kind', ['JPEG', 'PNG'])
@pytest.mark.parametrize('share', [0, 0.02, 0.1, 0.5, 0.95])
def test_what_is_cut_off_is_refused_at_once_leniently_too(tmp_path, kind,
                                                          share):
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(file, kind)
    content = file.getvalue()[:int(share * len(file.getvalue()))]
    path = tmp_path / 'cut'
    path.write_bytes(content)
    for look in (photo_size, read_photo):
        with pytest.raises(DataError, match='--lenient does not help'):
            look(str(path), lenient=True)


def test_a_png_without_its_end_is_taken_leniently(tmp_path):
    path = tmp_path / 'a.png'
    Image.new('RGB', (6, 4)).save(path)
    path.write_bytes(path.read_bytes()[:-12])
    assert photo_size(str(path), lenient=True) == (4, 6)
    assert read_photo(str(path), lenient=True).shape == (4, 6, 3)
    with pytest.raises(DataError, match='does not end with IEND'):
        photo_size(str(path))
