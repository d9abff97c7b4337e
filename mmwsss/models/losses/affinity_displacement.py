"""Losses of IRN's class boundaries and displacements."""
from typing import Dict, Optional

import torch
from mmengine.model import BaseModule
from torch import Tensor

from mmwsss.ops.pixel_pairs import inner, pair_labels
from mmwsss.ops.random_walk import path_points, search_offsets
from mmwsss.registry import MODELS

from .pair_affinity import pair_affinity_loss, pair_mean


@MODELS.register_module()
class AffinityDisplacementLoss(BaseModule):
    """Pairs of near pixels teach boundaries and displacements.

    Ahn, Cho, Kwak: "Weakly Supervised Learning of Instance Segmentation with
    Inter-pixel Relations", CVPR 2019, equations 2, 5 and 6; agrees with the
    published code. Pixels of a pair have equal labels (positive) or not
    (negative); the affinity is 1 - the strongest boundary on the path between
    them. Displacements of two pixels of one object differ by the offset
    between them; those of two background pixels are alike.

    Args:
        radius (int): Pairs are closer than this, in positions.
            Defaults to the published 10.
        num_labels (int): Labels from here on, such as 255, are unknown.
            Defaults to 21.
        init_cfg (dict, optional): See mmengine's ``BaseModule``.
    """

    def __init__(self,
                 radius: int = 10,
                 num_labels: int = 21,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        self.radius = radius
        self.num_labels = num_labels

    def forward(self, edge_logits: Tensor, displacement: Tensor,
                labels: Tensor) -> Dict[str, Tensor]:
        """Four losses, each half of a mean over its pairs.

        Args:
            edge_logits (Tensor): Of class boundaries, (B, 1, H, W).
            displacement (Tensor): Positions down and right, (B, 2, H, W).
            labels (Tensor): Masks at the same size, (B, H, W).

        Returns:
            dict: ``loss_affinity_positive``, ``loss_affinity_negative``,
            ``loss_displacement_foreground``,
            ``loss_displacement_background``; finite also where there is no
            pair of a kind.

        Raises:
            ValueError: If the image is too small to hold a pair.
        """
        edge = edge_logits[:, 0].sigmoid()
        pairs = pair_labels(labels, self.radius, self.num_labels)
        background, foreground, _ = pairs
        affinity = torch.stack([
            1 - torch.stack([inner(edge, self.radius, point)
                             for point in path_points(offset)]).amax(0)
            for offset in search_offsets(self.radius)], dim=1)  # (B, P, h, w)
        between = torch.stack([
            inner(displacement, self.radius) -
            inner(displacement, self.radius, offset)
            for offset in search_offsets(self.radius)], dim=2)  # (B,2,P,h,w)
        offsets = between.new_tensor(search_offsets(self.radius))  # (P, 2)
        moved = (between - offsets.t().view(1, 2, -1, 1, 1)).abs()
        return dict(
            pair_affinity_loss(affinity, *pairs),
            loss_displacement_foreground=pair_mean(
                moved.sum(1), foreground, coordinates=2) / 2,
            loss_displacement_background=pair_mean(
                between.abs().sum(1), background, coordinates=2) / 2)
