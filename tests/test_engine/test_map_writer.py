"""Maps go through refiners into files while the network works."""
import os.path as osp

import numpy as np
import pytest

from mmwsss.engine import MapWriter
from mmwsss.files.maps import read_map
from mmwsss.refiners import BaseRefiner
from mmwsss.registry import REFINERS


@REFINERS.register_module()
class Doubled(BaseRefiner):
    """Doubles the maps, also beyond 1."""

    def refine(self, image, maps, labels):
        assert image.shape == (3, *maps.shape[1:]) and labels.tolist() == [1]
        return 2 * maps


@pytest.fixture
def photo(shapes):
    return osp.join(shapes, 'JPEGImages', 'img0.jpg')


def test_maps_and_scores_of_an_image(photo, tmp_path):
    writer = MapWriter(str(tmp_path / 'maps'), num_workers=0)
    maps = np.random.default_rng(0).random((2, 48, 64), dtype=np.float32)
    writer.write('img0', photo, maps, [0, 1], np.array([0.25, 0.5]))
    writer.finish()
    file = read_map(str(tmp_path / 'maps' / 'img0.npz'))
    assert np.abs(file.maps - maps).max() <= 0.51 / 255
    assert file.labels.tolist() == [0, 1] and file.scores.tolist() == [.25, .5]


def test_refined_maps_stay_between_0_and_1(photo, tmp_path):
    writer = MapWriter(str(tmp_path), [dict(type='Doubled')], num_workers=0,
                       stride=2, dtype='float16')
    maps = np.full((1, 48, 64), 0.25, np.float32)
    maps[..., 32:] = 0.75
    writer.write('img0', photo, maps, [1])
    with np.load(tmp_path / 'img0.npz') as file:
        assert file['maps'].shape == (1, 24, 32)
        assert file['maps'].dtype == np.float16
        assert file['maps'][0, 0, [0, -1]].tolist() == [0.5, 1]


@pytest.mark.parametrize('devices, here, pooled', [
    ((None, None), 0, 2), (('cpu', None), 1, 1), ((None, 'cpu'), 2, 0)])
def test_a_refiner_with_a_device_works_beside_the_network(
        photo, tmp_path, devices, here, pooled):
    writer = MapWriter(
        str(tmp_path), [dict(type='Doubled', device=one) for one in devices],
        num_workers=2, dtype='float16')
    assert len(writer.here) == here
    # Nothing to do there, no processes.
    assert writer.pool.num_workers == (2 if pooled else 0)
    writer.pool.num_workers = 0
    writer.write('img0', photo, np.full((1, 48, 64), 0.125, np.float32), [1])
    assert (read_map(str(tmp_path / 'img0.npz')).maps == 0.5).all()


@pytest.mark.parametrize('options', [dict(stride=0), dict(dtype='float64')])
def test_wrong_storage_is_named(tmp_path, options):
    with pytest.raises(ValueError, match='map_stride=.*map_dtype='):
        MapWriter(str(tmp_path), **options)
