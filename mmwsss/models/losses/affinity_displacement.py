"""Losses of IRN's class boundaries and displacements."""
from typing import Dict, Optional, Tuple

import torch
from mmengine.model import BaseModule
from torch import Tensor

from mmwsss.ops.random_walk import path_points, search_offsets
from mmwsss.registry import MODELS

_EPS = 1e-5  # the published code's


@MODELS.register_module()
class AffinityDisplacementLoss(BaseModule):
    """Pairs of near pixels teach boundaries and displacements.

    Ahn, Cho, Kwak: "Weakly Supervised Learning of Instance Segmentation with
    Inter-pixel Relations", CVPR 2019, equations 2, 5 and 6; agrees with the
    published code. Pixels of a pair have equal labels (positive) or not
    (negative); the affinity is 1 - the strongest boundary on the path between
    them. Displacements of two pixels of one object differ by the offset
    between them, and are alike on background.

    Args:
        radius (int): Pairs are closer than this. Defaults to 10.
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
            edge_logits (Tensor): (B, 1, H, W).
            displacement (Tensor): Down and right, (B, 2, H, W).
            labels (Tensor): Masks at the same size, (B, H, W).

        Returns:
            dict: ``loss_affinity_positive``, ``loss_affinity_negative``,
            ``loss_displacement_foreground``,
            ``loss_displacement_background``; finite also where there is no
            pair of a kind.

        Raises:
            ValueError: If the image is too small to hold a pair.
        """
        height, width = labels.shape[1:]
        reach = self.radius - 1
        if height <= reach or width <= 2 * reach:
            raise ValueError(
                f'labels of {height} x {width} hold no pair at radius '
                f'{self.radius}: need {reach + 1} x {2 * reach + 1}')
        edge = edge_logits[:, 0].sigmoid()
        background, foreground, negative = self.pair_labels(labels)
        affinity = torch.stack([
            1 - torch.stack([self._shifted(edge, point)
                             for point in path_points(offset)]).amax(0)
            for offset in search_offsets(self.radius)], dim=1)  # (B, P, h, w)
        attract = -(affinity + _EPS).log()
        repel = -(1 + _EPS - affinity).log()
        between = torch.stack([
            self._shifted(displacement, (0, 0)) -
            self._shifted(displacement, offset)
            for offset in search_offsets(self.radius)], dim=2)  # (B,2,P,h,w)
        offsets = between.new_tensor(search_offsets(self.radius))  # (P, 2)
        moved = (between - offsets.t().view(1, 2, -1, 1, 1)).abs()
        return dict(
            loss_affinity_positive=(_mean(attract, background) +
                                    _mean(attract, foreground)) / 4,
            loss_affinity_negative=_mean(repel, negative) / 2,
            loss_displacement_foreground=_mean(moved.sum(1), foreground, 2) /
            2,
            loss_displacement_background=_mean(between.abs().sum(1),
                                               background, 2) / 2)

    def pair_labels(self, labels: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        """Which pairs are both background, one object class, or differ.

        Args:
            labels (Tensor): (B, H, W).

        Returns:
            tuple[Tensor]: Three boolean tensors (B, P, h, w).
        """
        source = self._shifted(labels, (0, 0)).unsqueeze(1)
        target = torch.stack([self._shifted(labels, offset)
                              for offset in search_offsets(self.radius)], 1)
        known = (source < self.num_labels) & (target < self.num_labels)
        same = known & (source == target)
        return same & (source == 0), same & (source > 0), known & ~same

    def _shifted(self, maps: Tensor, offset: Tuple[int, int]) -> Tensor:
        """Maps at ``offset`` from all pixels whose partners are inside."""
        reach = self.radius - 1
        height, width = maps.shape[-2:]
        y, x = offset
        return maps[..., y:height - reach + y, reach + x:width - reach + x]


def _mean(loss: Tensor, chosen: Tensor, coordinates: int = 1) -> Tensor:
    """Mean over the chosen pairs; 0 where there are none."""
    return (loss * chosen).sum() / (coordinates * chosen.sum() + _EPS)
