"""The MMCT localizer: its parts together, gradients, maps, parity."""
import json

import pytest
import torch
import torch.nn.functional as F
from mmct_nets import build_mmct, samples
from parity_files import close, mctformer_weights, read

from mmwsss.conversion.convert import check_converted, convert
from mmwsss.conversion.layouts import LAYOUTS
from mmwsss.models.key_names import rename
from mmwsss.ops.min_max import min_max
from mmwsss.registry import MODELS

MCTFORMER_PLUS = LAYOUTS['mctformer_plus']


def test_every_parameter_learns():
    model = build_mmct().train()
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
    model = build_mmct(textual_tokens=None, visual_context=None, contrast=None)
    losses = model.loss(torch.randn(1, 3, 48, 48), samples([1, 0]))
    assert set(losses) == {'loss_visual', 'loss_patch'}
    assert model.extract_features(
        torch.randn(1, 3, 48, 48), None).class_tokens[-1].shape[1] == 2


def test_empty_options_mean_defaults_not_off():
    model = build_mmct(visual_context=dict(last_layers=3), contrast=dict())
    assert len(model.visual_context.mlps) == 3
    losses = model.loss(torch.randn(1, 3, 48, 48), samples([1, 0]))
    assert 'loss_contrast_visual' in losses


def test_affinity_steps_apply_it_again():
    model = build_mmct(test_cfg=dict(attention_layers=2, affinity_layers=3))
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
        model = build_mmct(test_cfg=dict(attention_layers=2, affinity_layers=0,
                                    fusion=fusion))
        maps[fusion] = model.class_maps(images)
    torch.testing.assert_close(maps['product'],
                               maps['attention'] * maps['patch'])
    torch.testing.assert_close(maps['fused'], maps['product'].sqrt())


def test_without_patches_the_tokens_classify_and_localize():
    model = build_mmct(patch_head=None, test_cfg=dict(
        fusion='attention', attention_layers=2, affinity_layers=3))
    images = torch.rand(1, 3, 32, 40)
    losses = model.loss(images, samples([1, 0]))
    assert 'loss_patch' not in losses
    assert {'loss_visual', 'loss_textual'} <= set(losses)
    assert model.class_maps(images).shape == (1, 2, 4, 5)
    with pytest.raises(ValueError, match="only 'attention' is there"):
        build_mmct(patch_head=None)


def test_class_with_a_negative_logit_keeps_its_map_with_min_max():
    images = torch.randn(1, 3, 48, 48)
    found = {}
    for activation in ('relu', 'min_max'):
        model = build_mmct(test_cfg=dict(attention_layers=2, affinity_layers=0,
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
        model = build_mmct(test_cfg=test_cfg)
        model.localize(torch.randn(1, 3, 48, 48), samples([1, 0]))


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
