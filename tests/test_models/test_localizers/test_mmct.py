"""The MMCT localizer: parts, gradients, parity, localization."""
import json
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import LabelData
from mmseg.structures import SegDataSample
from parity_files import close, mctformer_weights, read
from shapes import tiny_model

from mmwsss.conversion.convert import check_converted, convert
from mmwsss.conversion.layouts import LAYOUTS
from mmwsss.models.key_names import rename
from mmwsss.ops.min_max import min_max
from mmwsss.registry import MODELS

MCTFORMER_PLUS = LAYOUTS['mctformer_plus']


def build(**kwargs):
    torch.manual_seed(0)
    model = MODELS.build(tiny_model(**kwargs))
    model.init_weights()
    return model.eval()


def samples(*labels):
    result = []
    for label in labels:
        sample = SegDataSample()
        sample.gt_label = LabelData(label_onehot=torch.tensor(label).float())
        result.append(sample)
    return result


def plain_attention(images, hidden):
    """All attention of all layers and heads, kept: the slow, obvious way."""
    model = build()
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
    model = build(backbone=dict(tiny_model()['backbone'],
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
        model = build(backbone=dict(tiny_model()['backbone'],
                                    hide_extra_tokens=hidden))
        C = model.num_classes
        before = model.extract_features(images, None)
        torch.nn.init.normal_(model.textual_tokens.embeddings)
        after = model.extract_features(images, None)
        assert torch.equal(before.patch_tokens, after.patch_tokens) == hidden
        before, after = before.class_tokens[-1], after.class_tokens[-1]
        assert torch.equal(before[:, :C], after[:, :C]) == hidden
        assert not torch.equal(before[:, C:], after[:, C:])


def test_every_parameter_learns():
    model = build().train()
    # The contexts start as zero, so their first layers only learn once the
    # last one has moved.
    for name, parameter in model.named_parameters():
        if 'mlps' in name:
            torch.nn.init.normal_(parameter, std=.02)
    losses = model.loss(torch.randn(2, 3, 48, 48), samples([1, 0], [1, 1]))
    assert set(losses) == {
        'loss_visual', 'loss_textual', 'loss_patch', 'loss_contrast_visual',
        'loss_contrast_textual'}
    sum(losses.values()).backward()
    idle = [name for name, p in model.named_parameters()
            if p.grad is None or p.grad.abs().sum() == 0]
    assert idle == []


def test_parts_can_be_switched_off():
    model = build(textual_tokens=None, visual_context=None, contrast=None)
    losses = model.loss(torch.randn(1, 3, 48, 48), samples([1, 0]))
    assert set(losses) == {'loss_visual', 'loss_patch'}
    assert model.extract_features(
        torch.randn(1, 3, 48, 48), None).class_tokens[-1].shape[1] == 2


def test_empty_options_mean_defaults_not_off():
    model = build(visual_context=dict(last_layers=3), contrast=dict())
    assert len(model.visual_context.mlps) == 3
    losses = model.loss(torch.randn(1, 3, 48, 48), samples([1, 0]))
    assert 'loss_contrast_visual' in losses


def test_localize_gives_one_map_for_each_named_class():
    model = build(num_classes=3)
    images = torch.randn(3, 3, 40, 56)
    maps = model.localize(images, samples([1, 0, 1], [0, 0, 0], [0, 1, 0]))
    assert [tuple(m.shape) for m in maps] == [(2, 40, 56), (0, 40, 56),
                                              (1, 40, 56)]
    assert maps[0].amin((1, 2)).tolist() == [0, 0]
    assert maps[0].amax((1, 2)).tolist() == [1, 1]


def test_batch_and_single_images_agree():
    model = build()
    images = torch.randn(2, 3, 48, 48)
    both = samples([1, 0], [1, 1])
    together = model.localize(images, both)
    for i in range(2):
        alone = model.localize(images[i:i + 1], both[i:i + 1])[0]
        torch.testing.assert_close(together[i], alone, atol=1e-4, rtol=1e-4)


def test_flip_makes_maps_of_mirror_images_mirror_images():
    model = build(test_cfg=dict(attention_layers=2, affinity_layers=3,
                                flip=True))
    images = torch.randn(1, 3, 48, 48)
    one = model.localize(images, samples([1, 1]))[0]
    mirrored = model.localize(images.flip(-1), samples([1, 1]))[0]
    torch.testing.assert_close(one, mirrored.flip(-1), atol=1e-4, rtol=1e-4)
    model.test_cfg['flip'] = False
    without = model.localize(images, samples([1, 1]))[0]
    assert (without - one).abs().max() > 1e-3


def test_affinity_steps_apply_it_again():
    model = build(test_cfg=dict(attention_layers=2, affinity_layers=3))
    images = torch.randn(1, 3, 48, 48)
    features = model.extract_features(images, None, attention_layers=2,
                                      affinity_layers=3)
    once = model.class_maps(images)
    model.test_cfg['affinity_steps'] = 2
    twice = model.class_maps(images)
    torch.testing.assert_close(twice.flatten(2), once.flatten(
        2) @ features.patch_affinity.transpose(1, 2))
    assert (twice - once).abs().max() > 1e-4


def test_fusion_is_the_root_of_the_product():
    images = torch.randn(1, 3, 48, 48)
    maps = {}
    for fusion in ('fused', 'product', 'attention', 'patch'):
        model = build(test_cfg=dict(attention_layers=2, affinity_layers=0,
                                    fusion=fusion))
        maps[fusion] = model.class_maps(images)
    torch.testing.assert_close(maps['product'],
                               maps['attention'] * maps['patch'])
    torch.testing.assert_close(maps['fused'], maps['product'].sqrt())


def test_without_patches_the_tokens_classify_and_localize():
    model = build(patch_head=None, test_cfg=dict(
        fusion='attention', attention_layers=2, affinity_layers=3))
    images = torch.rand(1, 3, 32, 40)
    losses = model.loss(images, samples([1, 0]))
    assert 'loss_patch' not in losses
    assert {'loss_visual', 'loss_textual'} <= set(losses)
    assert model.class_maps(images).shape == (1, 2, 4, 5)
    with pytest.raises(ValueError, match="only 'attention' is there"):
        build(patch_head=None)


def test_class_with_a_negative_logit_keeps_its_map_with_min_max():
    images = torch.randn(1, 3, 48, 48)
    found = {}
    for activation in ('relu', 'min_max'):
        model = build(test_cfg=dict(attention_layers=2, affinity_layers=0,
                                    patch_activation=activation))
        torch.nn.init.constant_(model.patch_head.conv.bias, -99.)
        found[activation] = model.localize(images, samples([1, 0]))[0]
    assert found['relu'].max() == 0
    assert found['min_max'].max() == 1


@pytest.mark.parametrize('test_cfg, message', [
    (dict(fusion='sum'), 'fusion'),
    (dict(patch_activation='abs'), 'patch_activation'),
    (dict(scales=()), 'scales'),
    (dict(attention_layers=9), 'attention_layers=9: the network has 3'),
])
def test_bad_settings(test_cfg, message):
    with pytest.raises(ValueError, match=message):
        model = build(test_cfg=test_cfg)
        model.localize(torch.randn(1, 3, 48, 48), samples([1, 0]))


def test_image_language_context(tmp_path):
    rng = np.random.default_rng(0)
    path = str(tmp_path / 'text.npz')
    np.savez(path, names=['red', 'blue'], model='test', prompt='{}',
             embeddings=rng.normal(size=(2, 16)).astype(np.float32))
    model = build(textual_tokens=dict(text_embeddings=path,
                                      image_context=True))
    torch.nn.init.normal_(model.textual_tokens.context[-1].weight)
    data = samples([1, 0])
    data[0].set_field(torch.randn(16), 'image_embedding')
    one = model.textual_tokens(data, 1)
    data[0].set_field(torch.randn(16), 'image_embedding')
    assert (model.textual_tokens(data, 1) - one).abs().max() > 1e-3
    assert not model.textual_tokens.embeddings.requires_grad


def test_what_all_class_names_share_makes_no_difference(tmp_path):
    own = np.eye(16)[0] * [[1.], [-1.]]
    common = np.eye(16)[1]
    tokens = []
    for shared in (0 * common, 5 * common):
        vectors = own + shared
        path = str(tmp_path / 'text.npz')
        np.savez(path, names=['red', 'blue'], model='test', prompt='{}',
                 embeddings=vectors.astype(np.float32))
        model = build(textual_tokens=dict(text_embeddings=path))
        tokens.append(model.textual_tokens(None, 1))
    torch.testing.assert_close(*tokens)
    one = build(textual_tokens=dict(text_embeddings=path))
    one.textual_tokens.embeddings = one.textual_tokens.embeddings[:1]
    assert torch.isfinite(one.textual_tokens(None, 1)).all()


def published(test_data):
    """The published MCTformer+ fixture and our model with its weights."""
    stored = read(test_data('parity', 'mctformer_plus.npz'))
    cfg = json.loads(str(stored['config']))
    model = MODELS.build(dict(
        type='MMCT',
        data_preprocessor=dict(type='mmseg.SegDataPreProcessor'),
        backbone=dict(
            type='ClassTokenViT', num_classes=cfg['ncls'],
            img_size=cfg['input'],
            arch=dict(embed_dims=cfg['embed'], num_layers=cfg['depth'],
                      num_heads=cfg['heads'],
                      feedforward_channels=4 * cfg['embed'])),
        patch_head=dict(decay=0.996),
        contrast=dict(type='ClassTokenContrast')))
    state, dropped = convert(mctformer_weights(stored), MCTFORMER_PLUS)
    check_converted(state, model, 'the parity file')
    assert set(dropped) == set(json.loads(str(stored['unused_params_json'])))
    model.load_state_dict(state)
    return stored, cfg, model.eval()


def named(stored, prefix):
    """(rest of the name, array) of all arrays that begin with ``prefix``."""
    return [(name[len(prefix):], stored[name]) for name in stored
            if name.startswith(prefix)]


FUSIONS = dict(fused='fused', attention='mct', patch='patchcam')


def map_settings(name, **kwargs):
    """``test_cfg`` of a map such as 'fused_n2'."""
    kind, layers = name.rsplit('_n', 1)
    [fusion] = [ours for ours, theirs in FUSIONS.items() if theirs == kind]
    return dict(fusion=fusion, attention_layers=int(layers), **kwargs)


@pytest.mark.parametrize('tag, images', [('train', 'x'), ('rect', 'x_rect')])
def test_parity_without_text_and_context_is_mctformer_plus(test_data, tag,
                                                           images):
    stored, cfg, model = published(test_data)
    images = torch.from_numpy(stored[f'in/{images}'])
    features = model.extract_features(images, None)
    close(torch.stack(features.class_tokens), stored[f'{tag}/class_tokens'])
    logits = model.logits(features)
    close(logits['visual'], stored[f'{tag}/cls_logits'])
    close(logits['patch'], stored[f'{tag}/patch_logits'])


@pytest.mark.parametrize('tag, images', [('sq', 'x'), ('rect', 'x_rect')])
def test_parity_of_maps(test_data, tag, images):
    stored, cfg, model = published(test_data)
    images = torch.from_numpy(stored[f'in/{images}'])
    maps = named(stored, f'{tag}/cam_')
    assert maps
    for name, want in maps:
        model.test_cfg = map_settings(name, affinity_layers=0)
        close(model.class_maps(images), want)
    for name, want in named(stored, f'{tag}/refined_'):
        model.test_cfg = map_settings(name, affinity_layers=cfg['depth'])
        # The published code sums the affinity over the layers, ours
        # averages: the same after the min-max normalisation.
        close(model.class_maps(images[:1]) * cfg['depth'],
              want.reshape(1, *want.shape[-3:]))


@torch.no_grad()
def test_parity_of_multi_scale_maps(test_data):
    stored, cfg, model = published(test_data)
    images = [torch.from_numpy(image) for _, image in named(stored, 'in/ms_')
              if image.ndim == 4]
    size = images[0].shape[2:]
    patch = model.patch_size
    keys = stored['ms/keys']
    for name, want in named(stored, 'ms/cam_'):
        model.test_cfg = map_settings(name, affinity_layers=cfg['depth'])
        total = 0
        for image in images:
            for flip in (False, True):
                seen = image.flip(-1) if flip else image
                # The published patches end where the last whole one does;
                # ours pad the image.
                height, width = (x // patch * patch for x in seen.shape[2:])
                maps = model.class_maps(seen[..., :height, :width])
                maps = F.interpolate(maps, size, mode='bilinear')[0, keys]
                total = total + (maps.flip(-1) if flip else maps)
        assert (min_max(total) - torch.from_numpy(want)).abs().max() <= 1e-4


def test_parity_of_losses(test_data):
    stored, cfg, model = published(test_data)
    images = torch.from_numpy(stored['in/x'])
    target = torch.from_numpy(stored['in/target'])
    settings = {name.split('/')[0] for name, _ in named(stored, 'loss_cct')}
    assert settings
    for count in settings:
        losses = model.loss(images, samples(*target.tolist()))
        # The regulariser on the last layers alone.
        tokens = model.extract_features(images, None).class_tokens
        losses['loss_contrast_visual'] = model.contrast(
            tokens[-int(count):], target)
        terms = [f'loss_cct{count}/{name}' for name in (
            'mct_loss', 'pat_loss', 'attn_loss', 'total')]
        got = [losses[f'loss_{name}'] for name in (
            'visual', 'patch', 'contrast_visual')]
        for value, name in zip([*got, sum(got)], terms):
            close(value, stored[name], 1e-5)
        model.zero_grad()
        sum(got).backward()
        parameters = dict(model.named_parameters())
        for name, want in named(stored, f'grad_cct{count}/'):
            ours = rename(name, MCTFORMER_PLUS.names)
            close(parameters[ours].grad, want, 1e-4)


def test_contrast_prefers_distinct_tokens():
    contrast = MODELS.build(dict(type='ClassTokenContrast'))
    labels = torch.tensor([[1., 0., 1.]])
    same = [torch.ones(1, 3, 8)]
    distinct = [torch.eye(3, 8)[None]]
    assert contrast(same, labels) > contrast(distinct, labels)
    expected = -F.log_softmax(torch.ones(3), 0)[0]
    torch.testing.assert_close(contrast(same, labels), expected)
