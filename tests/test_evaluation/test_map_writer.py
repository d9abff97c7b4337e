"""Maps are written while the test loop goes on."""
import os.path as osp

import numpy as np
import pytest
import torch

from mmwsss.evaluation import MapWriter
from mmwsss.files.maps import read_map
from mmwsss.registry import REFINERS


@REFINERS.register_module()
class Doubled:
    """Doubles the maps, also beyond 1."""

    def __call__(self, image, maps, labels):
        assert image.shape == (3, *maps.shape[1:]) and labels.tolist() == [1]
        return 2 * maps


def sample(shapes, maps, labels=(1, ), **more):
    return dict(sample_id='img0', ori_shape=(48, 64), pred_maps=dict(
        data=maps, labels=list(labels)), img_path=osp.join(
            shapes, 'JPEGImages', 'img0.jpg'), **more)


def test_maps_and_scores_of_each_sample(shapes, tmp_path):
    writer = MapWriter(str(tmp_path / 'maps'), num_workers=0)
    maps = torch.rand(2, 48, 64)
    writer.process({}, [sample(shapes, maps, (0, 1), pred_label=dict(
        score=torch.tensor([0.25, 0.5])))])
    assert writer.evaluate(1) == {'localization/maps_written': 1}
    file = read_map(str(tmp_path / 'maps' / 'img0.npz'))
    assert np.abs(file.maps - maps.numpy()).max() <= 0.51 / 255
    assert file.labels.tolist() == [0, 1] and file.scores.tolist() == [.25, .5]


def test_resized_maps_come_back_to_the_size_of_the_photo(shapes, tmp_path):
    writer = MapWriter(str(tmp_path), num_workers=0, dtype='float16')
    small = torch.zeros(1, 12, 16)
    small[:, :, 8:] = 1
    writer.process({}, [sample(shapes, small)])
    maps = read_map(str(tmp_path / 'img0.npz')).maps
    assert maps.shape == (1, 48, 64)
    assert maps[..., :28].max() == 0 and maps[..., 36:].min() == 1
    writer.process({}, [sample(shapes, small[:0], ())])
    assert read_map(str(tmp_path / 'img0.npz')).maps.shape == (0, 48, 64)


def test_refined_maps_stay_between_0_and_1(shapes, tmp_path):
    writer = MapWriter(str(tmp_path), [dict(type='Doubled')], num_workers=0,
                       stride=2, dtype='float16')
    maps = torch.full((1, 48, 64), 0.25)
    maps[..., 32:] = 0.75
    writer.process({}, [sample(shapes, maps)])
    with np.load(tmp_path / 'img0.npz') as file:
        assert file['maps'].shape == (1, 24, 32)
        assert file['maps'].dtype == np.float16
        assert file['maps'][0, 0, [0, -1]].tolist() == [0.5, 1]


@pytest.mark.parametrize('options', [dict(stride=0), dict(dtype='float64')])
def test_wrong_storage_is_named(tmp_path, options):
    with pytest.raises(ValueError, match='map_stride=.*map_dtype='):
        MapWriter(str(tmp_path), **options)
