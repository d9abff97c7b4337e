"""Scores of every background threshold from one pass over the pixels."""
import math
from dataclasses import dataclass
from typing import Sequence

import torch
from torch import Tensor

# Pixels that are counted at once: 64-bit indices of a whole photo of a camera
# would take more memory than a network.
PIXELS_AT_ONCE = 2**18


def sweep_histogram(maps: Tensor, labels: Tensor, target: Tensor,
                    thresholds: Tensor, num_classes: int) -> Tensor:
    """Count the pixels of one image by winner, truth and winning score.

    A pixel's winner is the class with the largest map value (the first of
    equal ones). At threshold ``t`` the pixel is predicted as its winner where
    the value is above ``t``, else as background; its bin is the number of
    thresholds below the value, from which the prediction at any threshold
    follows.

    Args:
        maps (Tensor): Class maps in [0, 1], (K, H, W); K may be 0.
        labels (Tensor): The K 0-based classes of the maps.
        target (Tensor): Mask, (H, W): 0 background, 1..C, other values are
            left out.
        thresholds (Tensor): T rising thresholds.
        num_classes (int): C, foreground classes.

    Returns:
        Tensor: Counts, int64, (C, C + 1, T + 1): winner, truth, bin.
    """
    shape = (num_classes, num_classes + 1, len(thresholds) + 1)
    labels = labels.to(maps.device)
    total = torch.zeros(math.prod(shape), dtype=torch.int64,
                        device=maps.device)
    for values, truth in zip(maps.flatten(1).split(PIXELS_AT_ONCE, dim=1),
                             target.reshape(-1).split(PIXELS_AT_ONCE)):
        total += torch.bincount(
            _bins(values, labels, truth, thresholds, shape),
            minlength=len(total))
    return total.reshape(shape)


def _bins(maps: Tensor, labels: Tensor, target: Tensor, thresholds: Tensor,
          shape: Sequence[int]) -> Tensor:
    """The place in a flat histogram of each known pixel of N, (<= N, )."""
    _, classes, bins = shape
    target = target.long()
    valid = (target >= 0) & (target < classes)
    if len(maps):
        score, winner = maps.max(0)
        winner = labels[winner]
        level = torch.bucketize(score, thresholds)
    else:  # no class: all is background, whatever the threshold
        winner = level = torch.zeros_like(target)
    return ((winner * classes + target) * bins + level)[valid]


@dataclass
class SweepResult:
    """Scores for each of T thresholds over C + 1 classes (0: background).

    Attributes:
        thresholds (Tensor): (T, ).
        true_positive (Tensor): Correct pixels, (T, C + 1).
        predicted (Tensor): Predicted pixels, (T, C + 1).
        truth (Tensor): Pixels of the class, (C + 1, ).
    """
    thresholds: Tensor
    true_positive: Tensor
    predicted: Tensor
    truth: Tensor

    @property
    def union(self) -> Tensor:
        """Pixels that are predicted or true, (T, C + 1)."""
        return self.predicted + self.truth - self.true_positive

    @property
    def iou(self) -> Tensor:
        """Intersection over union (T, C + 1); NaN where there is neither."""
        return self.true_positive.double() / self.union

    @property
    def precision(self) -> Tensor:
        """Share of the predicted pixels that are right, (T, C + 1)."""
        return self.true_positive.double() / self.predicted

    @property
    def recall(self) -> Tensor:
        """Share of the true pixels that are found, (T, C + 1)."""
        return self.true_positive.double() / self.truth

    @property
    def false_positive_rate(self) -> Tensor:
        """Wrongly predicted pixels as a share of the union, (T, C + 1)."""
        return (self.predicted - self.true_positive).double() / self.union

    @property
    def false_negative_rate(self) -> Tensor:
        """Missed pixels as a share of the union, (T, C + 1)."""
        return (self.truth - self.true_positive).double() / self.union

    def mean_iou(self, classes: Sequence[int]) -> Tensor:
        """Mean IoU; classes without a pixel are left out.

        Args:
            classes (Sequence[int]): Those of the mean, 0 for background.

        Returns:
            Tensor: In [0, 1], (T, ).
        """
        return self.iou[:, list(classes)].nanmean(1)


def threshold_sweep(histogram: Tensor, thresholds: Tensor) -> SweepResult:
    """Turn summed histograms into the scores of all thresholds.

    Args:
        histogram (Tensor): Sum of :func:`sweep_histogram` over the images,
            (C, C + 1, T + 1).
        thresholds (Tensor): The same T thresholds.

    Returns:
        SweepResult: Scores by threshold.
    """
    # above[..., i]: pixels whose score is above threshold i.
    from_bin = histogram.flip(-1).cumsum(-1).flip(-1)
    above = from_bin[..., 1:]  # (C, C + 1, T)
    foreground_tp = above[:, 1:].diagonal()  # (T, C)
    foreground = above.sum(1).T  # (T, C)
    truth = histogram.sum((0, 2))  # (C + 1, )
    background = truth.sum() - foreground.sum(1, keepdim=True)  # (T, 1)
    background_tp = truth[0] - above[:, 0].sum(0)[:, None]  # (T, 1)
    return SweepResult(
        thresholds, torch.cat([background_tp, foreground_tp], 1),
        torch.cat([background, foreground], 1), truth)
