"""True masks that are scored against, of any data set."""
import pytest
import torch

from mmwsss.evaluation import ClassSubsetIoU
from mmwsss.evaluation.true_masks import true_mask
from mmwsss.problems import DataError


def sample(values, **kwargs):
    return dict(gt_sem_seg=dict(data=torch.tensor([values])),
                img_path='a.jpg', seg_map_path='a.png', **kwargs)


def test_classes_and_ignored_pixels_pass():
    values = [[0, 2, 255], [1, 0, 0]]
    assert true_mask(sample(values), (2, 3), 3).tolist() == values
    # A data set that ignores another value.
    assert true_mask(sample([[0, 9, 255]]), (1, 3), 3, 9).tolist() == [
        [0, 9, 9]]


@pytest.mark.parametrize('values', [[[0, 38]], [[38, 255]], [[3, 0]]])
def test_other_values_are_named(values):
    with pytest.raises(DataError, match='a.png: value (38|3), but there are '
                       '3 classes'):
        true_mask(sample(values), (1, 2), 3)


def test_another_size_is_named():
    with pytest.raises(DataError, match='a.png: 1 x 2, but a.jpg is 48 x 64'):
        true_mask(sample([[0, 1]]), (48, 64), 3)


def test_a_metric_scores_no_wrong_mask():
    metric = ClassSubsetIoU()
    metric.dataset_meta = dict(classes=('background', 'red', 'blue'))
    pred = dict(pred_sem_seg=dict(data=torch.tensor([[[0, 1]]])))
    with pytest.raises(DataError, match='values 38, 75, but there are 3'):
        metric.process({}, [sample([[38, 75]], **pred)])
    metric.process({}, [sample([[255, 255]], **pred)])
    with pytest.raises(DataError, match='no true mask has a known pixel'):
        metric.evaluate(1)
