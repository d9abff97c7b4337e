"""Affinity of near patches against labels (AFA, WeCLIP)."""
from typing import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .patch_token_contrast import known_pairs


def near_pairs(grid: Tensor, radius: int) -> Tensor:
    """Pairs of patches that are near each other.

    Args:
        grid (Tensor): Anything on the grid of the N patches, (..., h, w).
        radius (int): Patches farther apart than this, in rows or in columns,
            are no pair.

    Returns:
        Tensor: Boolean, (N, N).
    """
    rows, columns = (
        (at[:, None] - at).abs() <= radius for at in (
            torch.arange(size, device=grid.device)
            for size in grid.shape[-2:]))
    near = rows[:, None, :, None] & columns[None, :, None]
    return near.flatten(2).flatten(0, 1)


def labels_on_patches(labels: Tensor, grid: Sequence[int]) -> Tensor:
    """Labels of pixels (B, H, W) -> of the patches, (B, h, w)."""
    return F.interpolate(labels[:, None].float(), grid)[:, 0].long()


def patch_affinity_loss(affinity: Tensor, labels: Tensor,
                        radius: int) -> Tensor:
    """Near patches of one label attract, of two labels repel.

    Ru et al., "Learning Affinity from Attention", CVPR 2022, equation 4, as
    in the published code of AFA and WeCLIP: both means run over the pairs of
    the whole batch and count one pair more than there are.

    Args:
        affinity (Tensor): Of all pairs, in [0, 1], (B, N, N).
        labels (Tensor): Of the patches, 255 where unknown, (B, h, w).
        radius (int): See :func:`near_pairs`.

    Returns:
        Tensor: Scalar in [0, 1]; 0 if no pair is known.
    """
    near = near_pairs(labels, radius)
    same, other = (pairs & near for pairs in known_pairs(labels, 255))
    attract = ((1 - affinity) * same).sum() / (same.sum() + 1)
    repel = (affinity * other).sum() / (other.sum() + 1)
    return (attract + repel) / 2
