"""PxAP and pIoU of localization maps against masks."""
from typing import Any, Dict, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mmwsss.files.maps import MapFile
from mmwsss.ops import (
    min_max,
    pixel_histogram,
    pixel_scores,
    pixel_thresholds,
)
from mmwsss.problems import DataError
from mmwsss.registry import SCORERS

from .base_scorer import BaseScorer, rounded

EVAL_SIZE = 224  # height and width of maps and masks (Choe et al.)


def localization_histogram(maps: Tensor, labels: Sequence[int],
                           target: Tensor, size: int = EVAL_SIZE) -> Tensor:
    """Histogram of an image's maps by Choe et al.'s protocol.

    Maps and mask are brought to one size, so that every photo has the same
    weight, and each map is scaled to [0, 1] there. The published code enlarges
    small maps with bicubic interpolation; ours have the photo's size already
    and are made smaller, by averaging (bilinear with antialiasing, which
    cannot overshoot). The mask takes the nearest pixel.

    Each map is scored against the pixels of its own class; with one class an
    image, as in OpenImages30k, this is the published metric.

    Args:
        maps (Tensor): Class maps, (K, H, W).
        labels (Sequence[int]): Their K 0-based classes.
        target (Tensor): Mask, (H', W'): 0 background, class + 1, 255 ignored.
        size (int): Height and width to score at. Defaults to 224.

    Returns:
        Tensor: Counts, int64, (2, 1002), see
        :func:`mmwsss.ops.pixel_histogram`.
    """
    target = F.interpolate(target[None, None].double(), (size, size))[0, 0]
    valid = target != 255
    thresholds = pixel_thresholds().to(maps.device)
    total = torch.zeros(2, len(thresholds) + 1, dtype=torch.int64,
                        device=maps.device)
    if not len(maps):
        return total
    maps = min_max(F.interpolate(maps[None].float(), (size, size),
                                 mode='bilinear', antialias=True)[0])
    for scores, label in zip(maps, labels):
        total += pixel_histogram(scores[valid], target[valid] == label + 1,
                                 thresholds)
    return total


@SCORERS.register_module()
class PixelLocalization(BaseScorer):
    """``PxAP`` and ``pIoU`` over all pixels of the data set, in per cent.

    Choe et al., "Evaluating Weakly Supervised Object Localization Methods
    Right", CVPR 2020.

    Args:
        size (int): See :func:`localization_histogram`. Defaults to 224.
        **kwargs: See :class:`BaseScorer`; the mean is over pixels, not over
            classes.
    """

    def __init__(self, size: int = EVAL_SIZE, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = size

    def count(self, file: MapFile, truth: Tensor) -> Tensor:
        """Histogram of an image, see :func:`localization_histogram`."""
        self.check_labels(file)
        return localization_histogram(torch.from_numpy(file.maps),
                                      file.labels.tolist(), truth, self.size)

    def report(self, counts: Tensor) -> Dict[str, Any]:
        """``PxAP``, ``pIoU`` and the ``pIoU_threshold``."""
        scores = pixel_scores(counts, pixel_thresholds())
        if not scores.truth:
            raise DataError('no mask has a pixel of a class that the maps are '
                            'of; PxAP needs one')
        return dict(PxAP=rounded(100 * scores.average_precision),
                    pIoU=rounded(100 * scores.peak_iou),
                    pIoU_threshold=rounded(scores.peak_threshold))
