"""Cross-entropy in which background and objects count the same."""
import torch.nn.functional as F
from torch import Tensor, nn

from mmwsss.registry import MODELS


@MODELS.register_module()
class BalancedCrossEntropy(nn.Module):
    """Mean of the losses over background pixels and over object pixels.

    ToCo's segmentation loss. Where the published code divides by zero - a
    batch without background, or without objects - that half is 0 here.

    Args:
        ignore_index (int): Label of pixels that do not count. Defaults to
            255.
        loss_weight (float): Factor on the loss. Defaults to 1.
    """

    def __init__(self, ignore_index: int = 255,
                 loss_weight: float = 1.) -> None:
        super().__init__()
        self.ignore_index = ignore_index
        self.loss_weight = loss_weight

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            logits (Tensor): Of background and C classes, (B, 1 + C, H, W).
            labels (Tensor): 0 background, 1..C, (B, H, W).

        Returns:
            Tensor: Scalar loss.
        """
        labels = labels.long()
        loss = F.cross_entropy(
            logits, labels, ignore_index=self.ignore_index, reduction='none')
        background = labels == 0
        objects = (labels > 0) & (labels != self.ignore_index)
        halves = [(loss * chosen).sum() / chosen.sum().clamp(min=1)
                  for chosen in (background, objects)]
        return self.loss_weight * (halves[0] + halves[1]) / 2
