"""Loops in which a model localizes."""
import os.path as osp

import numpy as np
import pytest
import torch
from mmengine.model import BaseDataPreprocessor, BaseModel
from mmengine.runner import Runner
from mmengine.structures import LabelData, PixelData
from shapes import dataset_config

from mmwsss.files.maps import read_map
from mmwsss.registry import MODELS


@MODELS.register_module()
class Halves(BaseModel):
    """Its map is 1 on the right half, at a quarter of the input's size."""

    def __init__(self, data_preprocessor=None):
        super().__init__(BaseDataPreprocessor())

    def forward(self, inputs, data_samples=None, mode='tensor'):
        assert mode == 'localize'
        for image, sample in zip(inputs, data_samples):
            height, width = (side // 4 for side in image.shape[1:])
            labels = sample.gt_label.label_onehot.nonzero().flatten()
            maps = torch.zeros(len(labels), height, width)
            maps[..., width // 2:] = 1
            sample.pred_maps = PixelData(
                data=maps, metainfo=dict(labels=labels.tolist()))
            sample.pred_label = LabelData(score=torch.tensor([0.25, 0.5]))
        return data_samples


@pytest.fixture
def run(shapes, tmp_path):
    """Runs the loop over the shapes; returns metrics and the folder."""
    def run(**options):
        runner = Runner(
            Halves(), str(tmp_path / 'run'), default_scope='mmwsss',
            test_dataloader=dict(
                batch_size=2, num_workers=0,
                sampler=dict(type='DefaultSampler', shuffle=False),
                dataset=dataset_config(shapes)),
            test_evaluator=[],
            test_cfg=dict(type='LocalizeLoop', out_dir=str(tmp_path / 'maps'),
                          num_workers=0, **options))
        return runner.test(), str(tmp_path / 'maps')
    return run


def test_every_image_has_its_maps_at_its_own_size(run):
    metrics, folder = run(dtype='float16')
    assert metrics == dict(maps_written=8)
    for i in range(8):
        file = read_map(osp.join(folder, f'img{i}.npz'))
        assert file.labels.tolist() == [i % 2]
        assert file.scores.tolist() == [0.25, 0.5]
        assert file.maps.shape == (1, 48, 64) == (1, *file.size)
        assert file.maps[..., :28].max() == 0
        assert file.maps[..., 36:].min() == 1


def test_refiners_see_the_maps(run):
    _, folder = run(refiners=[dict(type='PAR', iterations=1)], stride=2)
    with np.load(osp.join(folder, 'img3.npz')) as file:
        assert file['maps'].shape == (1, 24, 32)


@pytest.mark.parametrize('options, message', [
    (dict(stride=0), 'map_stride=0'),
    (dict(refiners=[dict(type='PAR', iteration=1)]), 'iteration'),
])
def test_a_mistake_shows_before_the_network_works(run, options, message,
                                                  monkeypatch):
    monkeypatch.setattr(Halves, 'forward', None)
    with pytest.raises((ValueError, TypeError), match=message):
        run(**options)
