"""Checkpoints are read whole, from anywhere, and no code is run."""
import argparse
import os
import os.path as osp

import pytest
import torch
from torch import nn

from mmwsss.files.checkpoints import (
    all_weights,
    cached_path,
    load_weights,
    read_checkpoint,
    read_weights,
    weights_digest,
)
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


def test_urls_of_one_file_name_are_two_files(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))

    def download(url, target):
        torch.save(dict(number=len(url)), target)

    monkeypatch.setattr(torch.hub, 'download_url_to_file', download)
    urls = ['https://a.org/model.pth', 'https://other.org/model.pth',
            'https://a.org/sub/model.pth', 'https://a.org/model.pth?v=2',
            'http://a.org/dir/', 'https://a.org/weights']
    for _ in range(2):
        assert [read_checkpoint(url)['number'] for url in urls] == [
            len(url) for url in urls]
    assert len({cached_path(url) for url in urls}) == len(urls)


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))


STATE = net().state_dict()
WRAPPED = dict(
    bare=STATE,
    deit=dict(model=STATE, epoch=3),
    dino=dict(student={}, teacher=STATE, args=argparse.Namespace(lr=1)),
    no_meta=dict(state_dict=STATE, meta=None),
    odd_meta=dict(state_dict=STATE, meta=dict(dataset_meta=3)),
    odd_classes=dict(state_dict=STATE, meta=dict(dataset_meta=dict(
        classes='cat'))),
    numbers=dict(state_dict=dict(STATE, epoch=3, name='x', lr=None)),
    distributed=dict(state_dict={f'module.{k}': v for k, v in STATE.items()}),
    compiled={f'_orig_mod.{k}': v for k, v in STATE.items()},
    compiled_distributed={f'module._orig_mod.{k}': v
                          for k, v in STATE.items()},
    compiled_lightning={f'model._orig_mod.{k}': v for k, v in STATE.items()},
    sharded={f'_fsdp_wrapped_module.{k}': v for k, v in STATE.items()},
    lightning=dict(state_dict={f'model.{k}': v for k, v in STATE.items()}),
    averaged=dict(model_ema={
        'n_averaged': torch.tensor(3),
        **{f'module.{k}': v for k, v in STATE.items()}}),
    timm=dict(epoch=1, state_dict_ema=STATE),
    model_state=dict(model_state=STATE, optimizer_state={}),
    deepspeed=dict(module=STATE, global_steps=3),
    ema_alone=dict(model={}, model_ema=STATE),
    nested=dict(model=dict(state_dict=STATE)),
    half=dict(state_dict={k: v.bfloat16() for k, v in STATE.items()}),
)


@pytest.mark.parametrize('name', WRAPPED)
def test_weights_are_found_in_what_the_field_saves(tmp_path, name):
    path = str(tmp_path / f'{name}.pth')
    torch.save(WRAPPED[name], path)
    model = net()
    nn.init.zeros_(model[0].weight)
    load_weights(model, path, ('a', 'b'))
    assert torch.allclose(model[0].weight, STATE['0.weight'], atol=4e-3)
    if name != 'half':
        torch.save(STATE, tmp_path / 'bare.pth')
        assert weights_digest(path) == weights_digest(
            str(tmp_path / 'bare.pth'))
    else:
        assert len(weights_digest(path)) == 64


def changed(**others):
    return {**STATE, **{key.replace('_', '.'): value
                        for key, value in others.items()}}


@pytest.mark.parametrize('content, message', [
    (changed(**{'0_weight': torch.full((4, 3), float('nan'))}),
     '1 of 7 weights hold NaN or infinity, first: 0.weight'),
    (changed(**{'1_bias': torch.full((4, ), float('inf'))}), 'NaN or inf'),
    (changed(**{'0_weight': torch.ones(4, 3, dtype=torch.int8)}),
     '0.weight is int8, expected float32'),
    (changed(**{'0_weight': torch.ones(4, 3, dtype=torch.complex64)}),
     'complex64, expected float32'),
    (changed(**{'0_weight': torch.ones(4, 2)}), 'expected .4, 3.'),
    ({'encoder.layer': torch.ones(2)}, 'tools/convert_weights.py'),
    ({}, 'tools/convert_weights.py'),
    (dict(state_dict=[1, 2]), 'tools/convert_weights.py'),
    ([1, 2], 'expected a dict.*tools/convert_weights.py'),
    (changed(**{'0_weight': torch.ones(1).expand(10**10)}), 'expanded'),
    (dict(a=torch.ones(1).expand(2 * 10**8), b=torch.ones(
        1).expand(2 * 10**8)), 'expanded'),
    (changed(**{'0_weight': torch.ones(4, 3).to_sparse()}), 'not.*plain'),
    (changed(**{'0_weight': torch.ones(4, 3, device='meta')}),
     'not.*plain'),
])
def test_what_does_not_fit_is_one_line(tmp_path, content, message):
    path = str(tmp_path / 'wrong.pth')
    torch.save(content, path)
    with pytest.raises(DataError, match=f'wrong.pth.*{message}') as caught:
        load_weights(net(), path)
    assert '\n' not in str(caught.value)


def test_an_infinite_mask_is_no_damage(tmp_path):
    path = str(tmp_path / 'clip.pth')
    torch.save(dict(attn_mask=torch.full((2, 2), -float('inf'))), path)
    assert read_weights(path)['attn_mask'].shape == (2, 2)


@pytest.mark.parametrize('trained_for, message', [
    (['cat', 'dog'], None), (('cat', 'dog'), None), ([], None), (None, None),
    (['dog', 'cat'], 'another order'), (['cat'], '1 classes'),
    (['cat', 'dog', 'sheep'], '3 classes.*sheep'), (['cat', 'Dog'], 'Dog'),
])
def test_classes_are_compared(tmp_path, trained_for, message):
    path = str(tmp_path / 'trained.pth')
    torch.save(dict(state_dict=STATE, meta=dict(
        dataset_meta=dict(classes=trained_for))), path)
    if message is None:
        load_weights(net(), path, ('cat', 'dog'))
        return
    with pytest.raises(DataError, match=f'trained.pth was .*{message}'):
        load_weights(net(), path, ('cat', 'dog'))


def test_no_weights_are_none():
    assert all_weights(dict(state_dict={}), 'empty.pth') == {}


@pytest.mark.parametrize('content, message', [
    (b'<!DOCTYPE html><html>sign in</html>', 'a web page'),
    (b'\n<html>', 'a web page'), (b'<?xml version="1.0"?>', 'a web page'),
    (b'version https://git-lfs.github.com/spec/v1\noid sha256:1', 'git lfs'),
    (b'\x40\0\0\0\0\0\0\0{"a":{"dtype":"F32","shape":[1]}}',
     'safetensors file; convert it')])
def test_other_kinds_of_files_are_told_apart(tmp_path, content, message):
    path = tmp_path / 'weights.pth'
    path.write_bytes(content)
    with pytest.raises(DataError, match=f'weights.pth: .*{message}'):
        read_checkpoint(path)


def test_a_folder_is_no_checkpoint(tmp_path):
    with pytest.raises(DataError, match='is a folder; name a file in it'):
        read_checkpoint(tmp_path)
