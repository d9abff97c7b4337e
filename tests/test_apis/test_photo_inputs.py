"""Photos as paths, folders, arrays, images and addresses."""
import numpy as np
import pytest
from PIL import Image

from mmwsss.apis import photo_inputs as module
from mmwsss.apis.photo_inputs import photo_inputs
from mmwsss.problems import DataError

RGB = np.random.default_rng(0).integers(0, 255, (6, 8, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path):
    for name in ('a.png', 'b.png'):
        Image.fromarray(RGB).save(tmp_path / name)
    return tmp_path


@pytest.mark.parametrize('given, names', [
    (lambda folder: str(folder), ['a', 'b']),
    (lambda folder: folder / 'a.png', ['a']),
    (lambda folder: RGB, ['0']),
    (lambda folder: Image.fromarray(RGB), ['0']),
    (lambda folder: [RGB, str(folder / 'b.png'), Image.open(
        folder / 'a.png')], ['0', 'b', 'a']),
    (lambda folder: f'file://{folder}/a.png'.replace('file://', ''), ['a']),
])
def test_every_form_gives_the_same_pixels(folder, given, names):
    photos = photo_inputs(given(folder))
    assert [photo.name for photo in photos] == names
    for photo in photos:
        assert np.array_equal(photo.read(), RGB)


def test_grey_turned_and_transparent_images():
    grey = photo_inputs(RGB[..., 0])[0].read()
    assert np.array_equal(grey, np.repeat(RGB[..., :1], 3, axis=2))
    image = Image.fromarray(RGB)
    image.getexif()[0x0112] = 6  # a quarter turn
    assert photo_inputs(image)[0].read().shape == (8, 6, 3)
    clear = Image.new('RGBA', (3, 2), (0, 0, 0, 0))
    assert (photo_inputs(clear)[0].read() == 255).all()
    assert photo_inputs(Image.new('CMYK', (3, 2)))[0].read().shape == (2, 3, 3)


@pytest.mark.parametrize('given, message', [
    ([], 'no photo given'), (3, 'a int is no photo'),
    (RGB / 255, 'float64'), (RGB[..., :2], r'\(6, 8, 2\)'),
    (RGB[:0], r'\(0, 8, 3\)')])
def test_what_is_no_photo_is_named(given, message):
    with pytest.raises(DataError, match=message):
        photo_inputs(given)[0].read()


def test_a_photo_that_is_not_there_is_named_when_it_is_read(tmp_path):
    [photo] = photo_inputs(str(tmp_path / 'none.jpg'))
    with pytest.raises(DataError, match='none.jpg'):
        photo.read()


def test_downloads_are_bounded(folder, monkeypatch):
    content = (folder / 'a.png').read_bytes()
    monkeypatch.setattr(module.urllib.request, 'urlopen',
                        lambda address, timeout: open(folder / 'a.png', 'rb'))
    [photo] = photo_inputs('https://example.org/x/a.png?size=1')
    assert photo.name == 'a' and np.array_equal(photo.read(), RGB)
    monkeypatch.setattr(module, 'LARGEST_DOWNLOAD', len(content) - 1)
    with pytest.raises(DataError, match='larger than'):
        photo.read()

    def fails(address, timeout):
        raise OSError('no route')
    monkeypatch.setattr(module.urllib.request, 'urlopen', fails)
    with pytest.raises(DataError, match='cannot be fetched .no route'):
        photo.read()
