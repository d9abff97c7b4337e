import os
import shutil

import pytest
import torch

from mmwsss.apis.machine import describe_machine, free_disk, use_device
from mmwsss.problems import ConfigError


@pytest.mark.parametrize('name', ['gpu', 'cuda:x', 'meta', 'cuda:99'])
def test_no_such_device(name):
    with pytest.raises(ConfigError, match=f'--device {name}: '):
        use_device(name)


def test_the_cpu_hides_gpus(monkeypatch):
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '0')
    monkeypatch.setattr('mmengine.device.utils.DEVICE', 'cuda')
    assert use_device('cpu') == torch.device('cpu')
    assert os.environ['CUDA_VISIBLE_DEVICES'] == ''
    from mmengine.device import get_device
    assert get_device() == 'cpu'


@pytest.mark.parametrize('visible, shown', [(None, '1'), ('4,7', '7')])
def test_one_of_several_gpus(monkeypatch, visible, shown):
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 2)
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', visible or '')
    assert use_device('cuda:1') == torch.device('cuda')
    assert os.environ['CUDA_VISIBLE_DEVICES'] == shown


def test_machine(tmp_path):
    machine = describe_machine(torch.device('cpu'), str(tmp_path))
    assert machine['gpu'] is None and machine['cores'] >= 1
    assert machine['threads'] == torch.get_num_threads()
    assert 0 < machine['memory_gb'] < 1e5
    usage = shutil.disk_usage(tmp_path)
    assert 0 <= free_disk(str(tmp_path / 'a' / 'b')) <= usage.total
