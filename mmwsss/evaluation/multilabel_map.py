"""Multi-label mean average precision of a localizer's image scores."""
from typing import Dict, List, Optional, Sequence, Union

import torch
from mmengine.evaluator import BaseMetric
from mmpretrain.evaluation import AveragePrecision
from torch import Tensor

from mmwsss.problems import DataError, unknown_name
from mmwsss.registry import METRICS


@METRICS.register_module()
class MultiLabelMAP(BaseMetric):
    """Mean over the classes of mmpretrain's average precision, in per cent.

    A class without a positive image has no average precision and is left out
    of the mean. Reads ``pred_label.score`` and ``gt_label.label_onehot``.

    Args:
        classes (str | Sequence[str]): Classes of the mean, a list that may
            hold 'background' (it has no image-level score), or 'all'.
        collect_device (str): 'cpu' or 'gpu'.
        prefix (str, optional): Prefix of the metric's name.
    """

    default_prefix = 'multi-label'

    def __init__(self,
                 classes: Union[str, Sequence[str]] = 'all',
                 collect_device: str = 'cpu',
                 prefix: Optional[str] = None) -> None:
        super().__init__(collect_device, prefix)
        self.classes = classes

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep scores and labels of a batch."""
        for sample in data_samples:
            self.results.append(
                (sample['pred_label']['score'].float().cpu(),
                 sample['gt_label']['label_onehot'].cpu()))

    def compute_metrics(self, results: List[tuple]) -> Dict[str, float]:
        """``mAP`` in per cent."""
        scores, labels = (torch.stack(column) for column in zip(*results))
        per_class = average_precision(scores, labels)
        chosen = [i - 1 for i in class_indices(
            self.classes, self.dataset_meta['classes']) if i > 0]
        return dict(mAP=per_class[chosen].nanmean().item())


def average_precision(scores: Tensor, labels: Tensor) -> Tensor:
    """Average precision by class in per cent, NaN without a positive.

    Args:
        scores (Tensor): (N, C).
        labels (Tensor): Multi-hot, (N, C).

    Returns:
        Tensor: (C, ).
    """
    per_class = AveragePrecision.calculate(scores, labels, average=None)
    return per_class.masked_fill(labels.sum(0) == 0, float('nan'))


def class_indices(chosen: Union[str, Sequence[str]],
                  classes: Sequence[str]) -> List[int]:
    """Positions of class names, 'all' for all; an unknown one is an error."""
    if chosen == 'all':
        return list(range(len(classes)))
    for name in chosen:
        if name not in classes:
            raise DataError(unknown_name('class', name, classes))
    return [list(classes).index(name) for name in chosen]
