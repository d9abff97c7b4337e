"""Optimizer groups and metrics."""
import numpy as np
import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.structures import LabelData
from mmseg.structures import SegDataSample
from shapes import CLASSES, tiny_model

from mmwsss.problems import DataError
from mmwsss.registry import METRICS, MODELS


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


def scored(metric, scores, labels):
    metric = METRICS.build(metric)
    metric.dataset_meta = CLASSES
    samples = []
    for score, label in zip(scores, labels):
        sample = SegDataSample()
        sample.pred_label = LabelData(score=torch.tensor(score))
        sample.gt_label = LabelData(label_onehot=torch.tensor(label))
        samples.append(sample.to_dict())
    metric.process({}, samples)
    return metric.evaluate(len(samples))['multi-label/mAP']


def test_map_is_the_mean_of_sklearns_average_precision():
    sklearn_metrics = pytest.importorskip('sklearn.metrics')
    rng = np.random.default_rng(0)
    scores = rng.random((30, 2)).astype(np.float32)
    labels = (rng.random((30, 2)) > .6).astype(np.float32)
    expected = 100 * np.mean([
        sklearn_metrics.average_precision_score(labels[:, c], scores[:, c])
        for c in range(2)])
    assert scored(dict(type='MultiLabelMAP'), scores,
                  labels) == pytest.approx(expected, abs=1e-3)


def test_map_over_chosen_classes_and_without_absent_ones():
    scores = [[.9, .1], [.2, .8], [.3, .7]]
    labels = [[1., 0.], [0., 0.], [1., 0.]]
    assert scored(dict(type='MultiLabelMAP'), scores, labels) == 100
    assert scored(dict(type='MultiLabelMAP', classes=['background', 'red']),
                  scores, labels) == 100
    with pytest.raises(DataError, match="did you mean 'red'"):
        scored(dict(type='MultiLabelMAP', classes=['redd']), scores, labels)


def test_iou_over_chosen_classes():
    metric = METRICS.build(dict(type='ClassSubsetIoU', iou_metrics=['mIoU'],
                                classes=['background', 'blue']))
    metric.dataset_meta = CLASSES
    predicted = torch.tensor([[0, 0, 1, 2]])
    truth = torch.tensor([[0, 1, 1, 2]])
    metric.process({}, [dict(pred_sem_seg=dict(data=predicted[None]),
                             gt_sem_seg=dict(data=truth[None]))])
    scores = metric.evaluate(1)
    assert scores['mIoU-2'] == pytest.approx(100 * (1 / 2 + 1) / 2)
    assert scores['mIoU'] == pytest.approx(100 * (1 / 2 + 1 / 2 + 1) / 3,
                                           abs=.01)
