"""Affinity of patches, learned from self-attention (AFA)."""
from typing import Optional

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmwsss.models.losses.patch_affinity import (
    near_pairs,
    patch_affinity_loss,
)
from mmwsss.registry import MODELS


@MODELS.register_module()
class AttentionAffinityHead(BaseModule):
    """What belongs together, as a weighted sum of attention heads.

    Ru et al., "Learning Affinity from Attention: End-to-End Weakly-Supervised
    Semantic Segmentation with Transformers", CVPR 2022, section 3.3. Two
    patches attract each other by the sigmoid of the weighted sum of the
    attention that the one pays to the other and the other to the one.

    Args:
        in_channels (int): M, attention heads of a layer times layers.
        radius (int): Patches farther apart than this, in rows or in columns
            of patches, are no pair. Defaults to 8 (published code).
        power (float): Exponent of the affinities in the propagation; small
            ones fade. Defaults to 2 (published code).
        init_cfg (dict, optional): See mmengine's ``BaseModule``.
    """

    def __init__(self,
                 in_channels: int,
                 radius: int = 8,
                 power: float = 2.,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        self.projection = nn.Conv2d(in_channels, 1, 1)
        self.radius = radius
        self.power = power

    def forward(self, attention: Tensor) -> Tensor:
        """Affinity of all pairs of patches.

        Args:
            attention (Tensor): Attention logits among the patches,
                (B, M, N, N).

        Returns:
            Tensor: In [0, 1], symmetric, (B, N, N).
        """
        both_ways = attention + attention.transpose(2, 3)
        return self.projection(both_ways)[:, 0].float().sigmoid()

    def loss(self, affinity: Tensor, labels: Tensor) -> Tensor:
        """Near patches of one label attract, of two labels repel.

        Args:
            affinity (Tensor): From :meth:`forward`, (B, N, N).
            labels (Tensor): Of the patches, 255 where unknown, (B, h, w).

        Returns:
            Tensor: Scalar loss in [0, 1]; 0 if no pair is known.
        """
        return patch_affinity_loss(affinity, labels, self.radius)

    def propagate(self, maps: Tensor, affinity: Tensor) -> Tensor:
        """One step of a random walk: means over near and alike patches.

        Args:
            maps (Tensor): On the grid of patches, (B, K, h, w).
            affinity (Tensor): From :meth:`forward`, (B, N, N).

        Returns:
            Tensor: (B, K, h, w), within the range of ``maps``.
        """
        # Where all affinities vanish, the plain mean: no division by 0.
        weights = (affinity**self.power).clamp(min=1e-6) * near_pairs(
            maps, self.radius)
        weights = weights / weights.sum(2, keepdim=True)
        spread = maps.flatten(2) @ weights.transpose(1, 2)
        return spread.view_as(maps)

    def spread(self, maps: Tensor, affinity: Tensor, grid: torch.Size
               ) -> Tensor:
        """:meth:`propagate` for maps of another size than the grid."""
        small = F.interpolate(maps, grid, mode='bilinear')
        return F.interpolate(self.propagate(small, affinity), maps.shape[2:],
                             mode='bilinear')
