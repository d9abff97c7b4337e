"""Pairs of near pixels: how alike their features or labels are."""
from typing import Tuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .random_walk import Offset, search_offsets


def inner(maps: Tensor, radius: int, offset: Offset = (0, 0)) -> Tensor:
    """Maps at ``offset`` from all pixels whose partners are all inside.

    Args:
        maps (Tensor): Of any kind, (..., H, W).
        radius (int): Partners are closer than this, in pixels.
        offset (tuple[int, int]): Pixels down and right. Defaults to (0, 0):
            the pixels themselves.

    Returns:
        Tensor: (..., h, w) with h = H - radius + 1 and w = W - 2 * radius + 2.
    """
    reach = radius - 1
    height, width = maps.shape[-2:]
    y, x = offset
    return maps[..., y:height - reach + y, reach + x:width - reach + x]


def pair_labels(labels: Tensor, radius: int,
                num_labels: int) -> Tuple[Tensor, Tensor, Tensor]:
    """Which pairs are both background, one object class, or differ.

    Args:
        labels (Tensor): Masks, (B, H, W).
        radius (int): Pairs are closer than this, in pixels.
        num_labels (int): Labels from here on, such as 255, are unknown.

    Returns:
        tuple[Tensor, Tensor, Tensor]: Boolean, (B, P, h, w) each: for the
        :func:`inner` pixels and their P = ``len(search_offsets(radius))``
        partners.

    Raises:
        ValueError: If the image is too small to hold a pair.
    """
    height, width = labels.shape[1:]
    reach = radius - 1
    if height <= reach or width <= 2 * reach:
        raise ValueError(
            f'labels of {height} x {width} hold no pair at radius {radius}: '
            f'need {reach + 1} x {2 * reach + 1}')
    source = inner(labels, radius).unsqueeze(1)
    target = torch.stack([inner(labels, radius, offset)
                          for offset in search_offsets(radius)], 1)
    known = (source < num_labels) & (target < num_labels)
    same = known & (source == target)
    return same & (source == 0), same & (source > 0), known & ~same


def feature_affinity(features: Tensor, radius: int) -> Tensor:
    """Affinity of each pixel with those around it, from features.

    exp(-mean over channels of the absolute difference) (PSA, eq. 3).

    Args:
        features (Tensor): Of each pixel, (B, C, H, W).
        radius (int): Pairs are closer than this, in pixels.

    Returns:
        Tensor: (B, P, H, W), at (p, y, x) the affinity of (y, x) and
        ``(y, x) + search_offsets(radius)[p]``; 0 where that lies outside.
    """
    height, width = features.shape[-2:]
    pairs = []
    for y, x in search_offsets(radius):
        rows, left, right = height - y, max(0, -x), max(0, x)
        columns = slice(left, max(left, width - right))
        if rows <= 0 or columns.start == columns.stop:
            pairs.append(features.new_zeros(len(features), height, width))
            continue
        target = features[..., y:, columns.start + x:columns.stop + x]
        difference = (features[..., :rows, columns] - target).abs().mean(1)
        pairs.append(F.pad(torch.exp(-difference),
                           (left, width - columns.stop, 0, y)))
    return torch.stack(pairs, dim=1)
