"""Localization maps on disk, and the masks that they stand for."""
import numpy as np
import pytest

from mmwsss.files.maps import (
    map_size,
    map_to_mask,
    read_any_map,
    read_map,
    read_map_dict,
    write_map,
    write_map_dict,
)
from mmwsss.problems import DataError


def some_maps(classes=2):
    """Maps that eight bits hold exactly."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (classes, 6, 9)).astype(np.float32) / 255


def test_maps_labels_and_scores_come_back(tmp_path):
    path, maps = str(tmp_path / 'new' / 'a.npz'), some_maps()
    write_map(path, maps, [3, 7], np.array([0.25, 0.5]))
    file = read_map(path)
    assert np.array_equal(file.maps, maps) and file.size == (6, 9)
    assert file.labels.tolist() == [3, 7] and file.labels.dtype == np.int16
    assert file.scores.tolist() == [0.25, 0.5]
    assert map_size(path) == (6, 9)
    write_map(path, maps[:0], [])
    file = read_map(path)
    assert file.maps.shape == (0, 6, 9) and file.scores is None


@pytest.mark.parametrize('layout', ['mctformer', 'irn'])
def test_dicts_of_other_scripts(tmp_path, layout):
    own, other = str(tmp_path / 'a.npz'), str(tmp_path / 'a.npy')
    write_map(own, some_maps(), [3, 7])
    file = read_any_map(own)
    write_map_dict(other, file, layout)
    content = np.load(other, allow_pickle=True).item()
    assert set(content) == ({3, 7} if layout == 'mctformer' else
                            {'keys', 'cam', 'high_res'})
    if layout == 'irn':
        assert content['cam'].shape == (2, 2, 3)
    for read in (read_map_dict, read_any_map):
        back = read(other)
        assert np.array_equal(back.maps, file.maps)
        assert back.labels.tolist() == [3, 7] and back.scores is None
    assert map_size(other) == (6, 9)


def test_an_unknown_layout(tmp_path):
    write_map(str(tmp_path / 'a.npz'), some_maps(), [3, 7])
    with pytest.raises(ValueError, match="layout='numpy': use one of"):
        write_map_dict(str(tmp_path / 'a.npy'),
                       read_map(str(tmp_path / 'a.npz')), 'numpy')


def test_the_strongest_class_above_the_threshold():
    maps = np.array([[[.2, .6, .7, .3]], [[.1, .5, .8, .3]]], np.float32)
    labels = np.array([4, 9])
    assert map_to_mask(maps, labels, 0.3).tolist() == [[0, 5, 10, 0]]
    assert map_to_mask(maps, labels, 0.1).tolist() == [[5, 5, 10, 5]]
    assert map_to_mask(maps[:0], labels[:0], 0.1).tolist() == [[0] * 4]


def test_two_thresholds_leave_255_between():
    maps = np.array([[[.1, .3, .5, .7]]], dtype=np.float32)
    mask = map_to_mask(maps, np.array([4]), (.3, .6))
    assert mask.tolist() == [[0, 0, 255, 5]]


@pytest.mark.parametrize('arrays, message', [
    (dict(labels=[1], maps=np.zeros((2, 4, 5)), size=[4, 5]),
     '1 labels for maps of shape'),
    (dict(labels=[1], maps=np.zeros((4, 5)), size=[4, 5]),
     '1 labels for maps of shape'),
    (dict(maps=np.zeros((1, 4, 5)), size=[4, 5]), 'not a readable map file'),
    (dict(labels=[{}], maps=np.zeros((1, 4, 5)), size=[4, 5]),
     'not a readable map file')])
def test_other_files_are_named(tmp_path, arrays, message):
    np.savez(tmp_path / 'a.npz', **arrays)
    with pytest.raises(DataError, match=f'a.npz: {message}'):
        read_map(str(tmp_path / 'a.npz'))


def test_missing_and_torn_files_are_named(tmp_path):
    path = tmp_path / 'a.npz'
    write_map(str(path), some_maps(), [3, 7])
    path.write_bytes(path.read_bytes()[:-60])
    for read in (read_map, map_size):
        for name in ('a.npz', 'none.npz'):
            with pytest.raises(DataError, match=f'{name}: not a readable map '
                               'file.*gen_pseudo.py again'):
                read(str(tmp_path / name))
