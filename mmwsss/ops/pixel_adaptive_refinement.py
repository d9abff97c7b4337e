"""Pixel-adaptive refinement (PAR): maps follow the colours of the image."""
from typing import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

# The published numbers, see the formula below.
COLOUR_SCALE = 0.3
POSITION_WEIGHT = 0.01
_EPS = 1e-8  # keeps a flat neighbourhood from dividing by zero
# Rows and columns of the 8 neighbours, centre left out.
_NEIGHBOURS = tuple(
    (y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0))


def pixel_adaptive_refinement(
        images: Tensor,
        maps: Tensor,
        iterations: int = 10,
        dilations: Sequence[int] = (1, 2, 4, 8, 12, 24)) -> Tensor:
    """Average maps over neighbours of similar colour, again and again.

    A neighbour's weight is the softmax over all neighbours of
    ``-(difference / deviation / 0.3) ** 2``, mean over the colours, plus 0.01
    times the same of the distances to them. The deviation is that of the
    neighbours around each pixel. The weights sum to 1.01, as published, so
    maps grow by 1% an iteration.

    Source: ToCo (CVPR 2023), section 3.4, after AFA (CVPR 2022); agrees with
    the published code.

    Args:
        images (Tensor): In [0, 1], (B, 3, H, W).
        maps (Tensor): (B, C, h, w); resized to (H, W) where they differ.
        iterations (int): Rounds of averaging. Defaults to 10.
        dilations (Sequence[int]): Distances at which each pixel has 8
            neighbours, in pixels. Defaults to (1, 2, 4, 8, 12, 24).

    Returns:
        Tensor: (B, C, H, W).
    """
    size = images.shape[-2:]
    if maps.shape[-2:] != size:
        maps = F.interpolate(maps, size, mode='bilinear', align_corners=True)
    weights = neighbour_weights(images, dilations)  # (B, P, H, W)
    for _ in range(iterations):
        refined = torch.zeros_like(maps)
        for neighbour, weight in zip(neighbours(maps, dilations),
                                     weights.unbind(1)):
            refined.addcmul_(neighbour, weight.unsqueeze(1))
        maps = refined
    return maps


def neighbour_weights(images: Tensor, dilations: Sequence[int]) -> Tensor:
    """How much each neighbour counts.

    Args:
        images (Tensor): In [0, 1], (B, 3, H, W).
        dilations (Sequence[int]): Distances of the neighbours in pixels.

    Returns:
        Tensor: Weights of the P = 8 x dilations neighbours, (B, P, H, W).
    """
    around = torch.stack(list(neighbours(images, dilations)))
    deviation = around.std(0) + _EPS
    colour = -((around - images).abs() / deviation / COLOUR_SCALE)**2
    distance = torch.tensor([d * (y * y + x * x)**0.5 for d in dilations
                             for y, x in _NEIGHBOURS])
    position = -(distance / (distance.std() + _EPS) / COLOUR_SCALE)**2
    position = position.softmax(0).to(images).view(-1, 1, 1, 1)
    weights = colour.mean(2).softmax(0) + POSITION_WEIGHT * position
    return weights.transpose(0, 1)


def neighbours(maps: Tensor, dilations: Sequence[int]) -> Iterator[Tensor]:
    """Maps shifted to each neighbour in turn, edges repeated.

    Args:
        maps (Tensor): (B, C, H, W).
        dilations (Sequence[int]): Distances of the neighbours in pixels.

    Yields:
        Tensor: (B, C, H, W), P = 8 x dilations times.
    """
    height, width = maps.shape[-2:]
    reach = max(dilations)
    padded = F.pad(maps, (reach, ) * 4, mode='replicate')
    for dilation in dilations:
        for y, x in _NEIGHBOURS:
            top, left = reach + dilation * y, reach + dilation * x
            yield padded[..., top:top + height, left:left + width]
