"""Backbones that hand out features of several depths."""
import pytest
import torch
from affinity_nets import taps

from mmwsss.problems import DataError
from mmwsss.registry import MODELS


def test_published_weights_load_by_name(tmp_path):
    backbone = MODELS.build(dict(type='ResNetTaps'))
    state = {key: torch.full_like(value, 0.5) for key, value in
             backbone.state_dict().items()
             if not key.endswith('num_batches_tracked')}
    path = str(tmp_path / 'resnet50.pth')
    torch.save({**state, 'fc.weight': torch.zeros(2, 3)}, path)
    loaded = MODELS.build(dict(type='ResNetTaps', pretrained=path))
    loaded.init_weights()
    assert (loaded.layer4[2].conv3.weight == 0.5).all()
    state.pop('layer1.0.conv1.weight')
    torch.save(state, path)
    with pytest.raises(DataError, match='1 weights of the ResNetTaps are not '
                       'in it, e.g. layer1.0.conv1.weight'):
        loaded.init_weights()


def test_a_frozen_vit_keeps_its_weights_and_the_detail_learns():
    backbone = MODELS.build(taps()).train()
    assert not backbone.vit.training
    maps = backbone(torch.rand(1, 3, 50, 71))
    # The photo at a quarter of its size; 3 x 4 patches of 16 px.
    assert [tuple(x.shape[1:]) for x in maps] == [
        (16, 13, 18), *[(32, 3, 4)] * 4]
    assert [x.shape[1] for x in maps] == list(backbone.tap_channels)
    sum(x.sum() for x in maps).backward()
    assert all(p.grad is None for p in backbone.vit.parameters())
    assert all(p.grad is not None for p in backbone.detail.parameters())


def test_an_enlarged_image_has_finer_taps():
    backbone = MODELS.build(taps(input_scale=2., frozen=False))
    maps = backbone(torch.rand(1, 3, 64, 96))
    assert maps[1].shape[2:] == (8, 12) and backbone.tap_strides[1] == 8
    maps[-1].sum().backward()
    assert backbone.vit.patch_embed.projection.weight.grad.abs().sum() > 0


def test_a_resnet_has_its_stem_and_four_stages():
    backbone = MODELS.build(dict(type='ResNetTaps'))
    assert backbone.tap_strides == (4, 4, 8, 16, 16)
    maps = backbone(torch.rand(1, 3, 33, 64))
    assert [tuple(x.shape[1:]) for x in maps] == [
        (channels, -(-33 // stride), 64 // stride) for channels, stride in
        zip(backbone.tap_channels, backbone.tap_strides)]
    assert not any(p.requires_grad for p in backbone.parameters())
