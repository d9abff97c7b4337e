"""The convolutional patch embedding."""
import pytest
import torch

from mmwsss.registry import MODELS


def vit(**kwargs):
    return MODELS.build(dict(
        type='TokenViT', img_size=32, patch_size=8,
        patch_cfg=dict(conv_type='mmwsss.ConvStem'),
        arch=dict(embed_dims=32, num_layers=1, num_heads=2,
                  feedforward_channels=64), **kwargs))


def test_a_vit_takes_it_by_config():
    model = vit()
    assert model(torch.randn(2, 3, 32, 48))[0].shape == (2, 32, 4, 6)
    model(torch.randn(2, 3, 32, 32))[0].square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0
               for p in model.patch_embed.parameters())


@pytest.mark.parametrize('kernel, stride', [(6, 6), (1, 1), (8, 4)])
def test_impossible_patch_sizes(kernel, stride):
    with pytest.raises(ValueError, match='ConvStem'):
        MODELS.build(dict(type='ConvStem', in_channels=3, out_channels=8,
                          kernel_size=kernel, stride=stride))
