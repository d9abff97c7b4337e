"""Mean average precision of image-level scores."""
import numpy as np
import pytest
import torch
from mmengine.structures import LabelData
from mmseg.structures import SegDataSample
from shapes import CLASSES

from mmwsss.problems import DataError
from mmwsss.registry import METRICS


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
