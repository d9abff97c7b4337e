"""Groups of parameters: learning rates and weight decay."""
import pytest
from mmengine.optim import build_optim_wrapper
from shapes import tiny_model

from mmwsss.registry import MODELS


def groups(**paramwise):
    model = MODELS.build(tiny_model())
    wrapper = build_optim_wrapper(model, dict(
        constructor='TokenOptimWrapperConstructor',
        optimizer=dict(type='AdamW', lr=1e-3, weight_decay=.05),
        paramwise_cfg=paramwise))
    found = {}
    for group in wrapper.optimizer.param_groups:
        for parameter in group['params']:
            found[id(parameter)] = (group['lr'], group['weight_decay'])
    return {name: found[id(p)] for name, p in model.named_parameters()}


def test_learning_rates_by_layer_and_for_new_parts():
    rates = groups(layer_decay_rate=.5, new_lr_mult=10.,
                   new_keys=['visual_tokens'])
    assert rates['patch_head.conv.weight'][0] == pytest.approx(1e-2)
    assert rates['backbone.visual_tokens'][0] == pytest.approx(1e-2)
    ratios = [rates[f'backbone.layers.{i}.attn.qkv.weight'][0]
              for i in range(3)]
    assert ratios[1] / ratios[0] == pytest.approx(2)
    assert ratios[2] / ratios[1] == pytest.approx(2)
    patch_embed = rates['backbone.patch_embed.projection.weight'][0]
    assert ratios[0] / patch_embed == pytest.approx(2)


def test_no_weight_decay_on_biases_norms_tokens_and_positions():
    rates = groups(new_lr_mult=1.)
    for name, (_, decay) in rates.items():
        plain = name.endswith(('.bias', 'pos_embed', 'visual_tokens')) or \
            '.ln' in name or rates[name] and 'context' in name and \
            name.endswith('.0.weight')
        assert decay == (0 if plain else .05), name


def test_unknown_option_is_an_error():
    with pytest.raises(ValueError, match='new_lr_mul'):
        groups(new_lr_mul=10)
