"""Maps of an earlier stage as the input of a later one."""
import os

import numpy as np
import pytest

from mmwsss.files.maps import write_map
from mmwsss.problems import DataError
from mmwsss.refiners import BaseRefiner
from mmwsss.registry import REFINERS, TRANSFORMS


@REFINERS.register_module()
class Plain(BaseRefiner):
    """Its maps are above 0.5 where the given ones are above ``level``."""

    def __init__(self, level):
        super().__init__()
        self.level = level

    def refine(self, image, maps, labels):
        assert image.shape == (3, *maps.shape[1:])
        return maps - self.level + 0.5

    def refine_named(self, image, maps, labels, name):
        assert name == 'a'
        return self.refine(image, maps, labels)


@pytest.fixture
def stored(tmp_path):
    """An image's dict whose maps are in a file."""
    maps = np.zeros((2, 3, 4), np.float32)
    maps[0, 0] = [1.0, 0.6, 0.4, 0.0]
    maps[1, 1] = [0.0, 0.6, 0.8, 1.0]
    write_map(str(tmp_path / 'maps' / 'a.npz'), maps, [4, 9])
    return dict(img=np.zeros((3, 4, 3), np.uint8), img_path='a.jpg',
                sample_id='a', map_path=str(tmp_path / 'maps' / 'a.npz'))


def test_maps_and_their_classes(stored):
    results = TRANSFORMS.build(dict(type='LoadMaps'))(dict(stored))
    assert results['seed_maps'].shape == (2, 3, 4)
    assert results['seed_maps'].dtype == np.float32
    assert results['seed_labels'].tolist() == [4, 9]


def test_maps_of_another_photo_are_named(stored):
    stored['img'] = np.zeros((4, 3, 3), np.uint8)
    with pytest.raises(DataError, match='a.npz: maps of 3 x 4, but a.jpg is '
                       '4 x 3'):
        TRANSFORMS.build(dict(type='LoadMaps'))(stored)


def confident(stored, **options):
    results = TRANSFORMS.build(dict(type='LoadMaps'))(dict(stored))
    return TRANSFORMS.build(dict(
        type='ConfidentLabels', foreground=dict(type='Plain', level=0.7),
        background=dict(type='Plain', level=0.5), **options))(results)


def test_between_the_two_thresholds_nothing_is_sure(stored):
    results = confident(stored)
    assert results['gt_seg_map'].tolist() == [
        [5, 255, 0, 0], [0, 255, 10, 10], [0, 0, 0, 0]]
    assert results['seg_fields'] == ['gt_seg_map']


def test_labels_are_kept_until_the_maps_change(stored, tmp_path, monkeypatch):
    cache = str(tmp_path / 'cache')
    first = confident(stored, cache=cache)['gt_seg_map']
    monkeypatch.setattr(Plain, '__call__', None)  # is not asked again
    again = confident(stored, cache=cache)['gt_seg_map']
    assert np.array_equal(first, again)
    monkeypatch.undo()
    write_map(stored['map_path'], np.zeros((2, 3, 4), np.float32), [4, 9])
    assert (confident(stored, cache=cache)['gt_seg_map'] == 0).all()
    assert len(os.listdir(cache)) == 2
