"""Checkpoints are read whole, from anywhere, and no code is run."""
import argparse
import os
import os.path as osp

import pytest
import torch

from mmwsss.files.checkpoints import read_checkpoint
from mmwsss.problems import DataError


class Malicious:

    def __reduce__(self):
        return os.system, ('touch checkpoint_ran_code', )


def test_checkpoint_cannot_run_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(dict(model=Malicious()), 'bad.pth')
    with pytest.raises(DataError, match='bad.pth.*run code'):
        read_checkpoint('bad.pth')
    assert not osp.exists('checkpoint_ran_code')


class Prying:
    """Asks for an attribute that no checkpoint of a Runner needs."""

    def __reduce__(self):
        return getattr, (torch.Tensor, '__init__')


def test_checkpoint_cannot_reach_attributes(tmp_path):
    path = str(tmp_path / 'prying.pth')
    torch.save(dict(state_dict={}, message_hub=Prying()), path)
    with pytest.raises(DataError, match='asks to run code'):
        read_checkpoint(path)


@pytest.mark.parametrize('content', [b'', b'garbage' * 99])
def test_damaged_checkpoint_is_named(tmp_path, content):
    path = tmp_path / 'torn.pth'
    path.write_bytes(content)
    with pytest.raises(DataError, match='torn.pth'):
        read_checkpoint(path)


@pytest.mark.parametrize('zipped', [True, False])
def test_a_wrong_byte_anywhere_ends_in_one_line(tmp_path, zipped):
    path = tmp_path / 'torn.pth'
    torch.save(dict(model=dict(weight=torch.ones(2, 3))), path,
               _use_new_zipfile_serialization=zipped)
    content = path.read_bytes()
    refused = 0
    for place in range(0, min(len(content), 600)):
        torn = bytearray(content)
        torn[place] ^= 0x55
        path.write_bytes(torn)
        try:
            read_checkpoint(path)
        except DataError as error:
            assert 'torn.pth' in str(error) and '\n' not in str(error)
            refused += 1
    assert refused > 50


def test_arguments_of_dino_are_plain_values(tmp_path):
    path = tmp_path / 'dino.pth'
    torch.save(dict(teacher=dict(weight=torch.ones(2)),
                    args=argparse.Namespace(lr=0.1)), path)
    assert read_checkpoint(path)['args'].lr == 0.1
    torch.save(dict(teacher={}, args=argparse.Namespace(lr=Malicious())),
               path)
    with pytest.raises(DataError, match='asks to run code'):
        read_checkpoint(path)


def test_missing_checkpoint_is_named():
    with pytest.raises(FileNotFoundError, match='none.pth: no such file'):
        read_checkpoint('none.pth')


def test_download_is_cached(tmp_path, monkeypatch):
    path = tmp_path / 'served.pth'
    torch.save(dict(weight=torch.ones(2)), path)
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    asked = []

    def download(url, target):
        asked.append(url)
        with open(target, 'wb') as file:
            file.write(path.read_bytes())

    monkeypatch.setattr(torch.hub, 'download_url_to_file', download)
    for _ in range(2):
        read = read_checkpoint('https://example.org/served.pth')
        assert read['weight'].tolist() == [1, 1]
    assert asked == ['https://example.org/served.pth']
