"""mmseg's IoU with the mean taken over chosen classes."""
from typing import Dict, List, Sequence, Union

from mmseg.evaluation import IoUMetric

from mmwsss.registry import METRICS

from .multilabel_map import class_indices


@METRICS.register_module()
class ClassSubsetIoU(IoUMetric):
    """``mIoU-N``: mean IoU over N chosen classes, in per cent.

    For validation sets in which some classes hardly occur. All pixels count:
    one predicted as a class outside the subset is an error. mmseg's own table
    and metrics over all classes are reported as well.

    Args:
        classes (str | Sequence[str]): Class names, or 'all'.
        **kwargs: See mmseg's ``IoUMetric``.
    """

    def __init__(self, classes: Union[str, Sequence[str]] = 'all',
                 **kwargs) -> None:
        super().__init__(**kwargs)
        self.classes = classes

    def compute_metrics(self, results: List[tuple]) -> Dict[str, float]:
        """Mmseg's metrics plus ``mIoU-N``."""
        metrics = super().compute_metrics(results)
        if self.classes != 'all' and results:
            intersection, union = (sum(column)
                                   for column in list(zip(*results))[:2])
            iou = 100 * intersection / union
            chosen = class_indices(self.classes, self.dataset_meta['classes'])
            metrics[f'mIoU-{len(chosen)}'] = iou[chosen].nanmean().item()
        return metrics
