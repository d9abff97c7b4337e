"""Pixel average precision and peak IoU from one pass over the pixels."""
from dataclasses import dataclass

import torch
from torch import Tensor


def pixel_thresholds(steps: int = 1000) -> Tensor:
    """Thresholds 0, 1/steps, ..., 1 of score maps.

    Choe et al. (CVPR 2020) use steps of 0.001 and, in their published code,
    a bin of its own for the score 1.

    Args:
        steps (int): Number of steps from 0 to 1. Defaults to 1000.

    Returns:
        Tensor: float64, (steps + 1,).
    """
    return torch.arange(steps + 1, dtype=torch.float64) / steps


def pixel_histogram(scores: Tensor, inside: Tensor,
                    thresholds: Tensor) -> Tensor:
    """Count pixels by whether they are of the object, and by score.

    A pixel is predicted as object at every threshold that its score reaches;
    its bin is the number of these thresholds, from which the prediction at
    any of them follows. Histograms of parts of the data can be summed.

    Args:
        scores (Tensor): In [0, 1], any shape; without the ignored pixels.
        inside (Tensor): Whether the pixel is of the object, bool, of the
            same shape.
        thresholds (Tensor): T rising thresholds.

    Returns:
        Tensor: Counts, int64, (2, T + 1): outside and inside, by bin.
    """
    bins = len(thresholds) + 1
    level = torch.bucketize(scores.reshape(-1).to(thresholds.dtype),
                            thresholds, right=True)
    index = inside.reshape(-1).long() * bins + level
    return torch.bincount(index, minlength=2 * bins).reshape(2, bins)


@dataclass
class PixelScores:
    """Object or not, at each of T thresholds.

    Attributes:
        thresholds (Tensor): (T, ).
        true_positive (Tensor): Object pixels that reach it, (T, ).
        false_positive (Tensor): Other pixels that reach it, (T, ).
        truth (Tensor): Object pixels, scalar.
    """
    thresholds: Tensor
    true_positive: Tensor
    false_positive: Tensor
    truth: Tensor

    @property
    def precision(self) -> Tensor:
        """Share of the predicted pixels that are right (T, ), or NaN."""
        return self.true_positive.double() / (
            self.true_positive + self.false_positive)

    @property
    def recall(self) -> Tensor:
        """Share of the object pixels that are found (T, ), or NaN."""
        return self.true_positive.double() / self.truth

    @property
    def iou(self) -> Tensor:
        """TP / (truth + FP), (T, ); NaN where there is neither."""
        return self.true_positive.double() / (
            self.truth + self.false_positive)

    @property
    def average_precision(self) -> Tensor:
        """PxAP: area under the precision-recall curve, scalar.

        Sum of precision times the step in recall (Choe et al., CVPR 2020);
        NaN without an object pixel.
        """
        recall = torch.cat([self.recall, self.recall.new_zeros(1)])
        step = recall[:-1] - recall[1:]
        # Without a predicted pixel there is no precision and no step.
        return (self.precision.nan_to_num(0) * step).sum()

    @property
    def peak_iou(self) -> Tensor:
        """pIoU: the largest IoU over the thresholds; NaN without an object."""
        if not self.truth:
            return self.iou.new_tensor(float('nan'))
        return self.iou.max()

    @property
    def peak_threshold(self) -> Tensor:
        """The lowest threshold with the largest IoU."""
        return self.thresholds[self.iou.nan_to_num(0).argmax()]


def pixel_scores(histogram: Tensor, thresholds: Tensor) -> PixelScores:
    """Turn summed histograms into the scores of all thresholds.

    Args:
        histogram (Tensor): Sum of :func:`pixel_histogram`, (2, T + 1).
        thresholds (Tensor): The same T thresholds.

    Returns:
        PixelScores: Scores by threshold.
    """
    reached = histogram.flip(-1).cumsum(-1).flip(-1)[:, 1:]
    return PixelScores(thresholds, reached[1], reached[0],
                       histogram[1].sum())
