"""mmpretrain's ViT with other defaults, and its attention."""
import pytest
import torch

from mmwsss.registry import MODELS


def vit(**kwargs):
    model = MODELS.build(dict(
        type='TokenViT', img_size=32, patch_size=8, arch=dict(
            embed_dims=16, num_layers=3, num_heads=2,
            feedforward_channels=32), **kwargs))
    model.eval()
    return model


def test_maps_of_any_size():
    model = vit(out_indices=(0, 2))
    maps = model(torch.rand(2, 3, 40, 56))
    assert [tuple(x.shape) for x in maps] == [(2, 16, 5, 7)] * 2
    assert model.tap_channels == (16, 16) and model.tap_strides == (8, 8)


@torch.no_grad()
def test_logits_of_the_last_layers_are_recorded():
    model, images = vit(), torch.rand(2, 3, 32, 32)
    inputs = []
    handles = [layer.attn.register_forward_hook(
        lambda module, args, output: inputs.append(args[0]))
        for layer in model.layers]
    with model.recorded_attention(2) as logits:
        model(images)
    assert [tuple(x.shape) for x in logits] == [(2, 2, 17, 17)] * 2
    for layer, tokens, got in zip(model.layers[1:], inputs[1:], logits):
        query, key, _ = layer.attn.qkv(tokens).unflatten(
            -1, (3, 2, 8)).unbind(2)
        want = torch.einsum('blhd,bmhd->bhlm', query, key) / 8**0.5
        torch.testing.assert_close(got, want)
    for handle in handles:
        handle.remove()
    model(images)
    assert len(logits) == 2  # nothing stays behind


@pytest.mark.parametrize('class_token, extra', [(True, 1), (False, 0)])
def test_position_embeddings_with_and_without_a_class_token(class_token,
                                                            extra):
    model = vit(with_cls_token=class_token)
    stored = torch.rand(1, 17, 16)
    got = model.adapt_weights(dict(pos_embed=stored))['pos_embed']
    assert torch.equal(got, stored[:, 1 - extra:])
    assert got.shape == model.pos_embed.shape
