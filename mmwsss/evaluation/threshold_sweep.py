"""Mean IoU of maps at every background threshold."""
import os.path as osp
from typing import Any, Dict, Optional, Sequence, Tuple, Union

import torch
from torch import Tensor

from mmwsss.files.maps import MapFile
from mmwsss.ops import sweep_histogram, threshold_sweep
from mmwsss.registry import SCORERS
from mmwsss.visualization import draw_threshold_curve

from .base_scorer import BaseScorer, rounded
from .class_scores import class_scores, print_class_scores

Threshold = Union[None, float, Tuple[float, float]]


@SCORERS.register_module()
class ThresholdSweep(BaseScorer):
    """IoU of the masks that maps stand for, at 0, 0.01, ..., 0.99.

    The thresholds are those of MMCT's supplement A.

    Args:
        threshold (float | tuple, optional): The threshold whose scores by
            class are reported; two (low, high) have none. Defaults to None:
            the best one.
        **kwargs: See :class:`BaseScorer`.
    """

    def __init__(self, threshold: Threshold = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        given: Sequence[Optional[float]] = (
            threshold if isinstance(threshold, (tuple, list)) else
            [threshold])
        self.threshold = threshold
        self.grid = sorted({i / 100 for i in range(100)} |
                           {t for t in given if t is not None})
        self.thresholds = torch.tensor(self.grid)  # (T, )

    def count(self, file: MapFile, truth: Tensor) -> Tensor:
        """Histogram (C, C + 1, T + 1), see :func:`sweep_histogram`."""
        self.check_labels(file)
        return sweep_histogram(
            torch.from_numpy(file.maps), torch.from_numpy(file.labels).long(),
            truth, self.thresholds, self.num_foreground)

    def report(self, counts: Tensor) -> Dict[str, Any]:
        """The curve, its best threshold and, by class, the scores at one.

        Returns:
            dict: ``best_threshold``, ``best_mIoU``, ``mIoU_curve``; with a
            single threshold also ``threshold`` and what
            :func:`class_scores` gives for it.
        """
        result = threshold_sweep(counts, self.thresholds)
        self.check_truth(result.truth)
        curve = 100 * result.mean_iou(self.chosen)
        best = int(curve.argmax())
        report = dict(
            best_threshold=rounded(self.grid[best]),
            best_mIoU=rounded(curve[best]),
            mIoU_curve={f'{t:g}': rounded(v)
                        for t, v in zip(self.grid, curve)})
        if isinstance(self.threshold, (tuple, list)):
            return report
        row = best if self.threshold is None else self.grid.index(
            self.threshold)
        return dict(report, threshold=rounded(self.grid[row]), **class_scores(
            result, row, self.classes, self.chosen))

    def show(self, report: Dict[str, Any], title: str,
             folder: Optional[str]) -> None:
        """The table by class, and ``threshold_curve.png``."""
        if 'IoU' in report:
            print_class_scores(report, f'{title}, background threshold '
                               f'{report["threshold"]:.2f}')
        if folder is not None:
            used: Any = report.get('threshold', self.threshold)
            draw_threshold_curve(
                osp.join(folder, 'threshold_curve.png'), self.grid,
                {f'mIoU over {len(self.chosen)} classes':
                 list(report['mIoU_curve'].values())},
                max(used) if isinstance(used, (tuple, list)) else used)
