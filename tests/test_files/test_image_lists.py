"""Lists of images as other tools write them."""
import os
import unicodedata

import pytest

from mmwsss.files.image_lists import (
    existing_form,
    find_listed,
    image_ids,
    listed_name,
    read_image_list,
)
from mmwsss.problems import DataError, Problems

NFC, NFD = (unicodedata.normalize(form, 'café') for form in ('NFC', 'NFD'))


@pytest.fixture
def photos(tmp_path):
    """A folder of photos with names that are hard to match."""
    folder = tmp_path / 'VOC' / 'JPEGImages'
    os.makedirs(folder / 'more')
    for name in ('p0.jpg', 'v1.2.jpg', 'my photo.jpg', f'{NFD}.jpg',
                 'more/p1.jpg', 'p2.png'):
        (folder / name).touch()
    return folder


def find(photos, content, tmp_path, suffix='.jpg'):
    path = tmp_path / 'list.txt'
    path.write_bytes(content)
    return [(os.path.relpath(path, photos), stem) for path, stem in (
        find_listed(image, str(photos), suffix)
        for image in read_image_list(str(path)))]


@pytest.mark.parametrize('content', [
    b'p0\n', b'\xef\xbb\xbfp0\n', b'p0\n\n  \n', b'p0.jpg', b'p0\r\n',
    b'p0\r', b'\r\np0 \r\n', 'p0\n'.encode('utf-16'), b'\n\xef\xbb\xbfp0\n',
    b'/JPEGImages/p0.jpg /SegmentationClassAug/p0.png\n',
    b'JPEGImages/p0.jpg SegmentationClassAug/p0.png\n',
    b'p0.jpg p0.png', b'JPEGImages/p0', b'VOC/JPEGImages/p0.jpg',
    b'JPEGImages\\p0.jpg\r\n', b'.\\p0.jpg', b'./p0'])
def test_one_photo_however_it_is_written(photos, tmp_path, content):
    [(path, stem)] = find(photos, content, tmp_path)
    assert path == 'p0.jpg' and os.path.normpath(stem) == 'p0'


@pytest.mark.parametrize('line, path, stem', [
    ('v1.2', 'v1.2.jpg', 'v1.2'), ('v1.2.jpg', 'v1.2.jpg', 'v1.2'),
    ('my photo', 'my photo.jpg', 'my photo'), ('p2.png', 'p2.png', 'p2'),
    ('my photo.jpg', 'my photo.jpg', 'my photo'),
    (NFC, f'{NFD}.jpg', NFC), (f'{NFC}.jpg', f'{NFD}.jpg', NFC),
    ('more/p1', 'more/p1.jpg', 'more/p1'),
    ('more\\p1.jpg', 'more/p1.jpg', 'more/p1'),
    # What is not there, as it was to be expected.
    ('ghost', 'ghost.jpg', 'ghost'), ('ghost.png', 'ghost.png', 'ghost'),
    ('other/p0.jpg', 'other/p0.jpg', 'other/p0'),
    ('2007_000032 -1', '2007_000032 -1.jpg', '2007_000032 -1')])
def test_names(photos, tmp_path, line, path, stem):
    assert find(photos, line.encode(), tmp_path) == [(path, stem)]


def test_an_absolute_path_and_suffixes_of_other_data_sets(photos, tmp_path):
    assert find(photos, str(photos / 'p0.jpg').encode(), tmp_path)[0][0] == (
        'p0.jpg')
    (photos / 'ulm_leftImg8bit.png').touch()
    for name in (b'ulm', b'ulm_leftImg8bit.png'):
        assert find(photos, name, tmp_path, '_leftImg8bit.png') == [
            ('ulm_leftImg8bit.png', 'ulm')]


def test_lines_are_those_of_the_file_and_wrong_ones_are_named(tmp_path):
    path = tmp_path / 'list.txt'
    path.write_text('\np0\n\np1.jpg\n')
    assert [(image.line, image.name) for image in read_image_list(
        str(path))] == [(2, 'p0'), (4, 'p1')]
    path.write_text('p0\n/a/p1.jpg /b/p2.png\n')
    with pytest.raises(DataError, match='line 2: .*another name than its'):
        read_image_list(str(path))
    path.write_bytes('p0\ncafé\n'.encode('latin-1'))
    with pytest.raises(DataError, match='list.txt line 2: byte 0xe9 is not'):
        read_image_list(str(path))


@pytest.mark.parametrize('name, expected', [
    ('a/b/2007_000032.jpg', '2007_000032'), ('2007_000032', '2007_000032'),
    ('v1.2', 'v1.2'), ('v1.2.JPG', 'v1.2'), ('a\\b.png', 'b'),
    (NFD, NFC), ('p0.jfif', 'p0'), ('.', '.')])
def test_what_an_image_is_called(name, expected):
    assert listed_name(name) == expected


@pytest.mark.parametrize('line, fine', [
    ('2007_000032', True), ('2007_000032.jpg', True),
    ('/JPEGImages/2007_000032.jpg /SegmentationClassAug/2007_000032.png',
     True), ('2007_000032 1', False), ('../2007_000032', False),
    ('a/2007_000032', False), ('..', False)])
def test_image_ids(tmp_path, line, fine):
    path = tmp_path / 'train.txt'
    path.write_text(f'{line}\n')
    problems = Problems('VOC')
    ids = image_ids(str(path), problems)
    if fine:
        assert ids == ['2007_000032'] and not problems.lines
    else:
        assert 'line 1: ' in problems.lines[0]
        assert 'is not an image id' in problems.lines[0]


def test_a_file_in_either_form_of_its_accents(tmp_path):
    (tmp_path / NFD).touch()
    for name in (NFC, NFD):
        assert existing_form(str(tmp_path), name) == str(tmp_path / NFD)
    assert existing_form(str(tmp_path), 'naïve') == str(tmp_path / 'naïve')
