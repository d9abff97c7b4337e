"""What is known of each photo of a result folder."""
import numpy as np
import pytest
from shapes import dataset_config

from mmwsss.apis.generation import mask_paths
from mmwsss.apis.photo_records import (
    RECORDS,
    caption,
    photo_records,
    read_photo_records,
    write_photo_records,
)
from mmwsss.files.masks import MaskClasses, read_mask, write_mask
from mmwsss.problems import DataError
from mmwsss.registry import DATASETS


@pytest.fixture
def records(shapes, tmp_path):
    """Of masks that are right for red squares and empty for blue ones."""
    dataset = DATASETS.build(dataset_config(shapes))
    truths = mask_paths(dataset)
    for i, path in enumerate(truths):
        mask = read_mask(path)
        write_mask(str(tmp_path / 'masks' / f'img{i}.png'),
                   np.where(mask == 2, 0, mask), [[0, 0, 0]] * 3)
    truths[6] = None
    return photo_records(dataset, truths, str(tmp_path / 'masks'))


def test_each_photo_has_scores_and_failures(records):
    assert [photo.name for photo in records.photos] == [
        f'img{i}' for i in range(8)]
    red, blue, *_, unknown, _ = records.photos
    assert (red.labels, red.ious, red.score) == ([1], {1: 100}, 100)
    assert red.failures == {}
    assert (blue.labels, blue.ious, blue.score) == ([2], {2: 0}, 0)
    assert blue.failures == {2: ['missed']}
    assert (unknown.ious, unknown.score, unknown.failures) == ({}, None, {})
    assert unknown.areas[1] == pytest.approx(100 * 400 / (48 * 64), abs=0.05)


def test_captions_say_what_a_mask_is_worth(records):
    red, blue, *_, unknown, _ = records.photos
    assert caption('mask', red, records.classes) == (
        'mask, IoU 100 %\nred 100 %')
    assert caption('mask', blue, records.classes) == 'mask, IoU 0 %\nblue 0 %'
    assert caption('mask', unknown, records.classes) == (
        'mask, share of the photo\nred 13 %')


def test_records_are_read_as_they_were_written(records, tmp_path):
    assert read_photo_records(str(tmp_path)) is None
    records.values = MaskClasses(3, {1: 2}, True)
    write_photo_records(str(tmp_path), records)
    assert read_photo_records(str(tmp_path)) == records


def test_photos_beside_a_folder_move_with_it(records, tmp_path):
    project = tmp_path / 'project'
    folder = project / 'work_dirs' / 'fit' / 'maps'
    folder.mkdir(parents=True)
    near, far = records.photos[:2]
    near.photo, near.truth = str(project / 'a.jpg'), str(folder / 'a.png')
    far.photo = '/no/where/b.jpg'
    write_photo_records(str(folder), records)
    project.rename(tmp_path / 'moved')
    found = read_photo_records(str(tmp_path / 'moved' / 'work_dirs' / 'fit'
                                   / 'maps'))
    assert [found.photos[0].photo, found.photos[0].truth,
            found.photos[1].photo] == [
        str(tmp_path / 'moved' / 'a.jpg'),
        str(tmp_path / 'moved' / 'work_dirs' / 'fit' / 'maps' / 'a.png'),
        '/no/where/b.jpg']


@pytest.mark.parametrize('text', ['{}', '[]', '{"photos": 3}', 'null', '{'])
def test_other_files_are_refused(tmp_path, text):
    (tmp_path / RECORDS).write_text(text)
    with pytest.raises(DataError, match=RECORDS):
        read_photo_records(str(tmp_path))


def test_a_truth_of_another_size_is_none(shapes, tmp_path):
    dataset = DATASETS.build(dataset_config(shapes))
    write_mask(str(tmp_path / 'img0.png'), np.ones((5, 5), np.uint8),
               [[0, 0, 0]])
    [photo] = photo_records(dataset, mask_paths(dataset),
                            str(tmp_path)).photos
    assert photo.truth is None and photo.areas == {1: 100}
