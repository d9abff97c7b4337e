"""Mean IoU of masks."""
from typing import Any, Dict, Optional

import numpy as np
import torch
from torch import Tensor

from mmwsss.ops import SweepResult

from .base_scorer import BaseScorer, rounded
from .class_scores import class_scores, print_class_scores


class MaskIoU(BaseScorer):
    """IoU of masks against true masks, and how much they leave open.

    Pixels that a mask leaves as 255 are left out; their share is reported as
    ``ignored``.

    Args:
        **kwargs: See :class:`BaseScorer`.
    """

    def count(self, file: np.ndarray, truth: Tensor) -> Tensor:
        """Pixels by prediction and truth.

        Args:
            file (np.ndarray): The mask, 0..C or 255, (H, W).
            truth (Tensor): The true mask, int64, (H, W).

        Returns:
            Tensor: Counts, int64, (C + 2, C + 1): 0..C or unknown, by truth.
        """
        size = len(self.classes)
        mask = torch.from_numpy(file.astype(np.int64))
        mask[mask == 255] = size
        known = truth < size
        counts = torch.bincount(mask[known] * size + truth[known],
                                minlength=(size + 1) * size)
        return counts.view(size + 1, size)

    def report(self, counts: Tensor) -> Dict[str, Any]:
        """``ignored`` in per cent, and what :func:`class_scores` gives."""
        self.check_truth(counts.sum(0))
        confusion, unknown = counts[:-1], int(counts[-1].sum())
        # Scores of a sweep over a single threshold.
        result = SweepResult(torch.zeros(1), confusion.diagonal()[None],
                             confusion.sum(1)[None], confusion.sum(0))
        return dict(
            ignored=rounded(100 * unknown / max(1, int(counts.sum()))),
            **class_scores(result, 0, self.classes, self.chosen))

    def show(self, report: Dict[str, Any], title: str,
             folder: Optional[str]) -> None:
        """The table by class."""
        print_class_scores(report, title)
