"""IoU over chosen classes."""
import pytest
import torch
from shapes import CLASSES

from mmwsss.problems import DataError
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


@pytest.mark.parametrize('truth, line', [
    ([[0, 0, 0]], 'no true mask has a pixel of a class other than backgr'),
    ([[0, 255, 0]], 'write the index of the class'),
    ([[255, 255, 255]], 'no true mask has a known pixel'),
])
def test_true_masks_without_a_class_are_no_score(truth, line):
    metric = METRICS.build(dict(type='ClassSubsetIoU', iou_metrics=['mIoU']))
    metric.dataset_meta = CLASSES
    metric.process({}, [dict(
        pred_sem_seg=dict(data=torch.zeros(1, 1, 3, dtype=torch.long)),
        gt_sem_seg=dict(data=torch.tensor([truth])))])
    with pytest.raises(DataError, match=line):
        metric.evaluate(1)
