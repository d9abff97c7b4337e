"""How alike patch tokens become by layer."""
import os.path as osp

import pytest
import torch
from PIL import Image

from mmwsss.apis import load_config
from mmwsss.apis.over_smoothing import _mean_cosine, analyse_over_smoothing
from mmwsss.problems import ConfigError


def test_over_smoothing_is_seen(trained, shapes, tmp_path):
    cfg, checkpoint = trained
    photos = [osp.join(shapes, 'JPEGImages', f'img{i}.jpg') for i in range(3)]
    result = analyse_over_smoothing(
        [('first', cfg, checkpoint), ('same', cfg, checkpoint)], photos,
        str(tmp_path / 'out'))
    assert result['first'] == result['same'] and len(result['first']) == 3
    assert all(-1 <= value <= 1 for value in result['first'])
    for name in ('over_smoothing.png', 'attention.png'):
        Image.open(tmp_path / 'out' / name).verify()
    with pytest.raises(ConfigError, match='no photo'):
        analyse_over_smoothing([('x', cfg, checkpoint)], [],
                               str(tmp_path / 'out'))


def test_mean_cosine_is_that_of_all_pairs():
    tokens = torch.randn(7, 5)
    unit = tokens / tokens.norm(dim=1, keepdim=True)
    cosines = (unit @ unit.t())[~torch.eye(7, dtype=torch.bool)]
    torch.testing.assert_close(_mean_cosine(tokens), cosines.mean())


def test_models_without_a_vit_are_named(segmentor_config, tmp_path):
    cfg = load_config(segmentor_config, work_dir=str(tmp_path / 'x'))
    cfg.model = dict(type='mmseg.EncoderDecoder', backbone=dict(
        type='mmseg.ResNetV1c', depth=18), decode_head=dict(
            type='mmseg.FCNHead', in_channels=512, channels=8, num_classes=2,
            in_index=3, num_convs=1,
            loss_decode=dict(type='mmseg.CrossEntropyLoss')))
    with pytest.raises(ConfigError, match='no ViT backbone'):
        analyse_over_smoothing([('x', cfg, 'none.pth')], ['photo.jpg'],
                               str(tmp_path / 'out'))
