"""Where networks run."""
import pytest
import torch

from mmwsss.parallel.devices import choose_device


@pytest.mark.parametrize('there, name', [(True, 'cuda'), (False, 'cpu')])
def test_a_gpu_where_there_is_one(monkeypatch, there, name):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: there)
    assert choose_device(None) == torch.device(name)
    assert choose_device('cpu') == torch.device('cpu')
