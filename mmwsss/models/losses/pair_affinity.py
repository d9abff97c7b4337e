"""Affinities of near pixels against labels (PSA, IRN)."""
from typing import Dict, Optional

from mmengine.model import BaseModule
from torch import Tensor

from mmwsss.ops.pixel_pairs import feature_affinity, inner, pair_labels
from mmwsss.registry import MODELS

_EPS = 1e-5  # the published code's


@MODELS.register_module()
class PairAffinityLoss(BaseModule):
    """Features of near pixels are alike where their labels are.

    Ahn, Kwak: "Learning Pixel-level Semantic Affinity with Image-level
    Supervision for Weakly Supervised Semantic Segmentation", CVPR 2018,
    equations 4 to 7.

    Args:
        radius (int): Pairs are closer than this, in positions.
            Defaults to the published 5.
        num_labels (int): Labels from here on, such as 255, are unknown.
            Defaults to 255.
        init_cfg (dict, optional): See mmengine's ``BaseModule``.
    """

    def __init__(self,
                 radius: int = 5,
                 num_labels: int = 255,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        self.radius = radius
        self.num_labels = num_labels

    def forward(self, features: Tensor, labels: Tensor) -> Dict[str, Tensor]:
        """Two losses, each half of a mean over its pairs.

        Args:
            features (Tensor): Of each position, (B, C, H, W).
            labels (Tensor): Masks at the same size, (B, H, W).

        Returns:
            dict: ``loss_affinity_positive``, ``loss_affinity_negative``;
            finite also where there is no pair of a kind.

        Raises:
            ValueError: If the image is too small to hold a pair.
        """
        pairs = pair_labels(labels, self.radius, self.num_labels)
        affinity = feature_affinity(features, self.radius)
        return pair_affinity_loss(inner(affinity, self.radius), *pairs)


def pair_affinity_loss(affinity: Tensor, background: Tensor,
                       foreground: Tensor,
                       negative: Tensor) -> Dict[str, Tensor]:
    """Equal labels attract, unequal ones repel.

    Args:
        affinity (Tensor): In [0, 1], (B, P, h, w).
        background (Tensor): Which pairs are two background pixels, boolean,
            (B, P, h, w).
        foreground (Tensor): Which pairs are two pixels of one object class,
            boolean, (B, P, h, w).
        negative (Tensor): Which pairs have unequal labels, boolean,
            (B, P, h, w).

    Returns:
        dict: ``loss_affinity_positive``, ``loss_affinity_negative``.
    """
    attract = -(affinity + _EPS).log()
    repel = -(1 + _EPS - affinity).log()
    return dict(
        loss_affinity_positive=(pair_mean(attract, background) +
                                pair_mean(attract, foreground)) / 4,
        loss_affinity_negative=pair_mean(repel, negative) / 2)


def pair_mean(loss: Tensor, chosen: Tensor, coordinates: int = 1) -> Tensor:
    """Mean over the chosen pairs; 0 where there are none.

    Args:
        loss (Tensor): Of each pair, (B, P, h, w).
        chosen (Tensor): Which pairs count, boolean, (B, P, h, w).
        coordinates (int): How many numbers were summed in the loss of a
            pair. Defaults to 1.

    Returns:
        Tensor: Scalar.
    """
    return (loss * chosen).sum() / (coordinates * chosen.sum() + _EPS)
