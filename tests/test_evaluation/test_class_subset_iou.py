"""IoU over chosen classes."""
import pytest
import torch
from shapes import CLASSES

from mmwsss.registry import METRICS


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
