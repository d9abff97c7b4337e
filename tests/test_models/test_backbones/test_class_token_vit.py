"""Attention of the class-token ViT, against the plain, slow way."""
from functools import partial

import pytest
import torch
from mmct_nets import build_mmct
from shapes import tiny_model


def plain_attention(images, hidden):
    """All attention of all layers and heads, kept: the slow, obvious way."""
    model = build_mmct()
    T = 2 * model.num_classes
    kept = []

    def slow_attention(attn, x):
        B, L, D = x.shape
        qkv = attn.qkv(x).reshape(B, L, 3, attn.num_heads, -1)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        scores = query @ key.transpose(-2, -1) / query.shape[-1]**0.5
        if hidden:
            C = T // 2
            scores[:, :, :C, C:T] = scores[:, :, T:, C:T] = float('-inf')
        kept.append(scores.softmax(-1))
        return attn.proj((kept[-1] @ value).transpose(1, 2).reshape(B, L, D))

    for layer in model.backbone.layers:
        layer.attn.forward = partial(slow_attention, layer.attn)
    features = model.extract_features(images, None)
    return features, torch.stack(kept).mean(2)  # (layers, B, L, L)


@pytest.mark.parametrize('hidden', [False, True])
@pytest.mark.parametrize('size', [(48, 48), (32, 80)])
def test_recorded_attention_equals_plain_attention(size, hidden):
    images = torch.randn(2, 3, *size)
    features, attention = plain_attention(images, hidden)
    model = build_mmct(backbone=dict(tiny_model()['backbone'],
                                hide_extra_tokens=hidden))
    recorded = model.extract_features(
        images, None, attention_layers=2, affinity_layers=3)
    T = 2 * model.num_classes
    assert attention.shape[0] == 3
    torch.testing.assert_close(recorded.class_attention,
                               attention[-2:, :, :T, T:].mean(0))
    torch.testing.assert_close(recorded.patch_affinity,
                               attention[:, :, T:, T:].mean(0))
    fast = model.extract_features(images, None)
    for other in (recorded, fast):
        torch.testing.assert_close(other.patch_tokens, features.patch_tokens)
        torch.testing.assert_close(other.class_tokens[-1],
                                   features.class_tokens[-1])


def test_hidden_textual_tokens_change_no_other_token():
    images = torch.randn(1, 3, 48, 48)
    for hidden in (False, True):
        model = build_mmct(backbone=dict(tiny_model()['backbone'],
                                    hide_extra_tokens=hidden))
        C = model.num_classes
        before = model.extract_features(images, None)
        torch.nn.init.normal_(model.textual_tokens.embeddings)
        after = model.extract_features(images, None)
        assert torch.equal(before.patch_tokens, after.patch_tokens) == hidden
        before, after = before.class_tokens[-1], after.class_tokens[-1]
        assert torch.equal(before[:, :C], after[:, :C]) == hidden
        assert not torch.equal(before[:, C:], after[:, C:])
