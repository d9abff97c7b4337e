"""Networks that published weights are for."""
import pytest
import torch
from mmengine.config import Config
from shapes import tiny_model

from mmwsss.conversion.networks import (
    backbone,
    plain_vit,
    timm_classifier,
    whole_model,
)
from mmwsss.models import MMCT, ClassTokenViT, TokenViT
from mmwsss.problems import DataError


@pytest.fixture
def cfg():
    model = tiny_model()
    model['backbone']['pretrained'] = 'no such file.pth'
    return Config(dict(model=model))


def test_parts_of_a_config(cfg):
    assert isinstance(whole_model(cfg, {}), MMCT)
    assert isinstance(backbone(cfg, {}), ClassTokenViT)
    # The config is not changed by it.
    assert cfg.model.backbone.pretrained == 'no such file.pth'


@pytest.mark.parametrize('side', [14, 24])
def test_a_vit_has_the_grid_of_its_weights(side):
    cfg = Config(dict(model=dict(backbone=dict(
        type='TokenViT', arch='deit-tiny', img_size=64))))
    weights = dict(pos_embed=torch.zeros(1, 1 + side * side, 192))
    vit = plain_vit(cfg, weights)
    assert type(vit) is TokenViT
    assert vit.pos_embed.shape == weights['pos_embed'].shape


def test_a_backbone_that_is_no_vit_is_named():
    cfg = Config(dict(model=dict(backbone=dict(type='ResNet38d'))))
    with pytest.raises(DataError, match='ResNet38d is no ViT'):
        plain_vit(cfg, {})


def test_the_whole_network_of_taps():
    cfg = Config(dict(model=dict(backbone=dict(
        type='TIMMTaps', model_name='test_efficientnet', frozen_stages=1))))
    assert timm_classifier(cfg, {}).num_classes == 1000
    cfg.model.backbone.type = 'ResNet38d'
    with pytest.raises(DataError, match="ResNet38d is not timm's"):
        timm_classifier(cfg, {})
