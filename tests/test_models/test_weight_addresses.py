"""Weights that a config names by mmengine's means run no code."""
import os
import os.path as osp

import pytest
import torch
from mmengine.model import BaseModule
from mmengine.runner.checkpoint import CheckpointLoader, get_torchvision_models

from mmwsss.models import weight_addresses
from mmwsss.problems import DataError


class Malicious:

    def __reduce__(self):
        return os.system, ('touch weights_ran_code', )


class Line(BaseModule):

    def __init__(self, init_cfg):
        super().__init__(init_cfg)
        self.line = torch.nn.Linear(2, 2)


def test_init_cfg_runs_no_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(dict(state_dict={}, evil=Malicious()), 'bad.pth')
    with pytest.raises(DataError, match='bad.pth.*run code'):
        Line(dict(type='Pretrained', checkpoint='bad.pth')).init_weights()
    assert not osp.exists('weights_ran_code')


def test_init_cfg_takes_weights(tmp_path):
    state = torch.nn.Linear(2, 2).state_dict()
    torch.save({f'line.{key}': value for key, value in state.items()},
               tmp_path / 'good.pth')
    model = Line(dict(type='Pretrained',
                      checkpoint=str(tmp_path / 'good.pth')))
    model.init_weights()
    assert model.line.weight.tolist() == state['weight'].tolist()


def test_nan_is_refused(tmp_path):
    path = str(tmp_path / 'nan.pth')
    torch.save({'line.weight': torch.full((2, 2), float('nan'))}, path)
    with pytest.raises(DataError, match='nan.pth.*NaN.*line.weight'):
        CheckpointLoader.load_checkpoint(path)


def test_names_lead_to_the_one_door(monkeypatch):
    asked = []
    monkeypatch.setattr(weight_addresses, 'read_checkpoint',
                        lambda url: asked.append(url) or {})
    name = next(name for name in get_torchvision_models() if '.' in name)
    url = get_torchvision_models()[name]
    for address in (f'torchvision://{name}', 'open-mmlab://resnet50_v1c',
                    'https://example.org/a.pth'):
        CheckpointLoader.load_checkpoint(address)
    assert asked[0] == url and asked[2] == 'https://example.org/a.pth'
    assert all(one.startswith('http') for one in asked)
    with pytest.raises(DataError, match='no such name is known'):
        CheckpointLoader.load_checkpoint('torchvision://resnet')
    with pytest.raises(DataError, match='fetch the file by hand'):
        CheckpointLoader.load_checkpoint('s3://bucket/a.pth')
