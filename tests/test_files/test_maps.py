"""Localization maps on disk, and the masks that they stand for."""
import numpy as np
import pytest
import torch

from mmwsss.files.maps import (
    UNKNOWN_SIZE,
    map_size,
    map_to_mask,
    read_any_map,
    read_map,
    read_map_dict,
    strongest_class,
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
    *[(dict(labels=[1], maps=np.zeros((1, 4, 5)), size=size),
       'the size of its image is')
      for size in ([-4, 5], [4, 5, 3], [4], 4, [0, 5])],
    *[(dict(labels=[1], maps=np.zeros((1, 4, 5), 'u1'), size=size),
       '1 maps of [0-9]+ x [0-9]+ are too large')
      for size in ([60000, 60000], [10**6, 10**6], [2**62, 4])],
    (dict(labels=range(9), maps=np.zeros((9, 1, 1), 'u1'), size=[8000, 8000]),
     '9 maps of 8000 x 8000 are too large'),
    *[(dict(labels=[1, 2], maps=np.zeros((2, 4, 5)) + value, size=[4, 5]),
       'values (from|that are not finite)')
      for value in (1.01, -.01, 255, np.nan, np.inf, -np.inf, 1e300)],
    *[(dict(labels=labels, maps=np.zeros((2, 4, 5)), size=[4, 5]),
       '.*class') for labels in ([-1, 0], [0, 254], [3, 3], [0, 2**40])],
    (dict(labels=[.5], maps=np.zeros((1, 4, 5)), size=[4, 5]), 'not a read'),
    (dict(labels=[1], maps=np.zeros((1, 0, 5)), size=[4, 5]), 'maps of shape'),
    (dict(labels=[1], maps=np.zeros((1, 4, 5)), size=[4, 5],
          scores=[np.nan]), 'scores of shape'),
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


@pytest.mark.parametrize('name', ['high_res', 'attn_highres'])
@pytest.mark.parametrize('kind', [np.float16, np.float32, torch.tensor])
def test_dicts_with_keys(tmp_path, name, kind):
    maps = some_maps()
    maps = kind(maps) if kind is torch.tensor else maps.astype(kind)
    np.save(tmp_path / 'a.npy', {'keys': np.array([3, 7]), name: maps})
    file = read_any_map(str(tmp_path / 'a.npy'))
    assert file.labels.tolist() == [3, 7] and file.size == (6, 9)
    assert file.maps.dtype == np.float32
    np.testing.assert_allclose(file.maps, some_maps(), atol=1e-3)


@pytest.mark.parametrize('content', [
    {}, {'keys': np.array([]), 'high_res': np.array([])},
    {'keys': [], 'attn_highres': []},
    {'keys': torch.zeros(0), 'high_res': np.zeros((0, 0, 0))}])
def test_an_image_without_a_class_takes_the_size_of_its_photo(tmp_path,
                                                              content):
    path = str(tmp_path / 'a.npy')
    np.save(path, content)
    file = read_any_map(path)
    assert file.size == map_size(path) == UNKNOWN_SIZE
    sized = file.sized((6, 9))
    assert sized.size == (6, 9) and sized.maps.shape == (0, 6, 9)
    assert not map_to_mask(sized.maps, sized.labels, .5).any()
    np.save(path, {'keys': [], 'high_res': np.zeros((0, 6, 9))})
    assert read_any_map(path).size == (6, 9)
    assert read_any_map(path).sized((3, 4)).size == (6, 9)


def test_rounding_is_brought_back(tmp_path):
    path = str(tmp_path / 'a.npy')
    np.save(path, {1: np.array([[-1e-4, .5, 1.0005]])})
    assert read_any_map(path).maps.tolist() == [[[0, .5, 1]]]


ONES = np.ones((4, 5), np.float32)


@pytest.mark.parametrize('content, message', [
    *[({0: ONES * value}, 'values (from|that are not finite)')
      for value in (255, 1.01, -.01, np.nan, np.inf, -np.inf, 1e38)],
    ({0: np.full((4, 5), 200, np.uint8)}, 'values from 200 to 200'),
    ({0: ONES, 3: ONES[:3]}, r'\(2,\) classes for 2 maps of shapes'),
    ({'dog': ONES}, 'classes of type <U3'), ({.5: ONES}, 'classes of type fl'),
    ({-1: ONES}, 'classes from -1'), ({254: ONES}, 'to 254'),
    ({0: 'text'}, 'neither'), ({0: [[1, 'a']]}, 'neither'), ({0: 1.}, 'neith'),
    ({0: ONES * 1j}, 'numpy type'), ({0: ONES[:0]}, 'maps of shape'),
    ({0: np.zeros((4, 5, 6))}, 'neither'), ({0: {1: 2}}, 'neither'),
    ({'keys': [1]}, 'keys and high_res or attn_highres'),
    ({'keys': [1, 1], 'high_res': [ONES, ONES]}, 'a class stands there twice'),
    ({'keys': [1, 2], 'high_res': ONES[None]}, 'classes for 1 maps'),
    ({'keys': [], 'high_res': ONES[None]}, 'no class for maps of shape'),
    ({'keys': [], 'high_res': np.zeros((0, 10**6, 10**6))}, 'too large')])
def test_dicts_that_hold_no_maps(tmp_path, content, message):
    np.save(tmp_path / 'a.npy', content)
    for read in (read_any_map, map_size):
        with pytest.raises(DataError, match=f'a.npy: .*{message}') as caught:
            read(str(tmp_path / 'a.npy'))
        assert '\n' not in str(caught.value)


@pytest.mark.parametrize('count', [1, 2, 7])
def test_the_strongest_class_is_that_of_argmax(count):
    maps = np.random.default_rng(count).integers(
        0, 4, (count, 30, 40)).astype(np.float32) / 4  # many equal values
    score, winner = strongest_class(maps)
    assert (winner == maps.argmax(0)).all() and winner.dtype == np.uint8
    assert (score == maps.max(0)).all()
