"""PxAP and pIoU of localization maps against masks."""
from typing import Dict, List, Optional, Sequence

import torch
import torch.nn.functional as F
from mmengine.evaluator import BaseMetric
from torch import Tensor

from mmwsss.ops import (
    min_max,
    pixel_histogram,
    pixel_scores,
    pixel_thresholds,
)
from mmwsss.registry import METRICS

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


@METRICS.register_module()
class PixelLocalization(BaseMetric):
    """``PxAP`` and ``pIoU`` over all pixels of the data set, in per cent.

    Choe et al., "Evaluating Weakly Supervised Object Localization Methods
    Right", CVPR 2020. Reads ``pred_maps`` (the model's ``test_cfg.with_maps``
    has to be on) and ``gt_sem_seg``. Without an object pixel both are NaN.

    Args:
        size (int): See :func:`localization_histogram`. Defaults to 224.
        collect_device (str): 'cpu' or 'gpu'.
        prefix (str, optional): Prefix of the metric's name.
    """

    default_prefix = 'localization'

    def __init__(self,
                 size: int = EVAL_SIZE,
                 collect_device: str = 'cpu',
                 prefix: Optional[str] = None) -> None:
        super().__init__(collect_device, prefix)
        self.size = size

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Count the pixels of a batch."""
        for sample in data_samples:
            maps = sample['pred_maps']
            histogram = localization_histogram(
                maps['data'], maps['labels'],
                sample['gt_sem_seg']['data'][0].to(maps['data'].device),
                self.size)
            # At most a few times 224 x 224 pixels: half the memory suffices.
            self.results.append(histogram.int().cpu())

    def compute_metrics(self, results: List[Tensor]) -> Dict[str, float]:
        """``PxAP`` and ``pIoU`` in per cent."""
        scores = pixel_scores(sum(r.long() for r in results),
                              pixel_thresholds())
        return dict(PxAP=100 * scores.average_precision.item(),
                    pIoU=100 * scores.peak_iou.item())
