"""From class activation maps to labels, regions and crops (ToCo)."""
from typing import Callable, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .pixel_adaptive_refinement import pixel_adaptive_refinement


def cam_labels(cams: Tensor,
               onehot: Tensor,
               low: float,
               high: float,
               inside: Optional[Tensor] = None,
               ignore_index: int = 255) -> Tensor:
    """Labels where maps are sure: two thresholds, doubt between them.

    The strongest present class where it is above ``high``, background where
    none is above ``low``, else ``ignore_index``. With ``low == high`` there
    is no doubt.

    Args:
        cams (Tensor): In [0, 1], (B, C, H, W).
        onehot (Tensor): Image-level labels, (B, C).
        low (float): At most this is background.
        high (float): Above this is an object.
        inside (Tensor, optional): False outside the photo, (B, H, W); labels
            there are ``ignore_index``.
        ignore_index (int): Label of pixels in doubt. Defaults to 255.

    Returns:
        Tensor: 0 background, 1..C, (B, H, W), int64.
    """
    strength, winner = (cams * onehot[..., None, None]).max(1)
    labels = winner + 1
    labels[strength <= high] = ignore_index
    labels[strength <= low] = 0
    if inside is not None:
        labels[~inside] = ignore_index
    return labels


def uncertain_regions(cams: Tensor, onehot: Tensor, low: float,
                      high: float) -> Tensor:
    """Which pixels are background, uncertain or object.

    Args:
        cams (Tensor): In [0, 1], (B, C, H, W).
        onehot (Tensor): Image-level labels, (B, C).
        low (float): At most this is background.
        high (float): From here on it is an object.

    Returns:
        Tensor: 0 background, 1 uncertain, 2 object, (B, H, W), int64.
    """
    strength = (cams * onehot[..., None, None]).amax(1)
    regions = (strength > low).long()
    regions[strength >= high] = 2
    return regions


def crop_corners(regions: Tensor,
                 count: int,
                 size: int,
                 priority: Optional[Tensor] = None) -> Tensor:
    """Top-left corners of crops whose centres are not sure to be object.

    Args:
        regions (Tensor): From :func:`uncertain_regions`, (B, H, W).
        count (int): Number of crops of each image.
        size (int): Side of a crop in pixels; at most H and W.
        priority (Tensor, optional): Positive numbers, (B, H', W') with H' =
            H - 2 * (size // 2); the largest are taken. Defaults to None:
            random.

    Returns:
        Tensor: Pixels down and right, (B, count, 2). In an image with fewer
        candidates than ``count`` every place is a candidate.

    Raises:
        ValueError: If the image is smaller than a crop, or has fewer places
            than ``count``.
    """
    margin = size // 2
    height, width = (side - 2 * margin for side in regions.shape[1:])
    if height * width < count or min(height, width) < 1:
        raise ValueError(
            f'{count} crops of {size} px do not fit an image of '
            f'{regions.shape[1]} x {regions.shape[2]} px')
    centres = regions[:, margin:margin + height, margin:margin + width]
    candidates = (centres <= 1).flatten(1)
    candidates |= candidates.sum(1, keepdim=True) < count
    if priority is None:
        priority = torch.rand(candidates.shape, device=regions.device) + 0.1
    chosen = (priority.flatten(1) * candidates).topk(count).indices
    return torch.stack([chosen // width, chosen % width], dim=-1)


def crop(maps: Tensor, corners: Tensor, size: int) -> Tensor:
    """Cut squares out of each image, without a loop.

    Args:
        maps (Tensor): What to cut, (B, D, H, W).
        corners (Tensor): From :func:`crop_corners`, (B, K, 2).
        size (int): Side of a crop in pixels.

    Returns:
        Tensor: The K crops of each image, (K, B, D, size, size).
    """
    steps = torch.arange(size, device=maps.device)
    rows = corners[..., 0, None] + steps  # (B, K, size)
    columns = corners[..., 1, None] + steps
    batch = torch.arange(len(maps), device=maps.device).view(-1, 1, 1, 1)
    # Indexing with tensors puts the remaining axis, the channels, last.
    crops = maps.movedim(1, -1)[batch, rows.unsqueeze(-1),
                                columns.unsqueeze(-2)]
    return crops.permute(1, 0, 4, 2, 3)


def refined_labels(images: Tensor,
                   cams: Tensor,
                   onehot: Tensor,
                   low: float,
                   high: float,
                   inside: Optional[Tensor] = None,
                   iterations: int = 10,
                   dilations: Tuple[int, ...] = (1, 2, 4, 8, 12, 24),
                   ignore_index: int = 255,
                   spread: Optional[Callable[[Tensor], Tensor]] = None
                   ) -> Tensor:
    """Pseudo labels from maps refined by the photo's colours.

    The maps compete with a strong background, which shows the sure objects,
    and with a weak one, which shows the sure background; what lies between
    is ``ignore_index``. Refinement runs on half the size and once for both.

    Args:
        images (Tensor): RGB in [0, 1], (B, 3, H, W).
        cams (Tensor): In [0, 1], (B, C, H, W).
        onehot (Tensor): Image-level labels, (B, C).
        low (float): Score of the weak background, on the maps' scale.
        high (float): Score of the strong background, on the maps' scale.
        inside (Tensor, optional): False outside the photo, (B, H, W); labels
            there are ``ignore_index``.
        iterations (int): Rounds of :func:`pixel_adaptive_refinement`.
            Defaults to 10.
        dilations (tuple[int]): Its distances, in pixels of the half-size
            image. Defaults to (1, 2, 4, 8, 12, 24).
        ignore_index (int): Label of pixels in doubt. Defaults to 255.
        spread (callable, optional): Propagates the competing scores,
            (B, K', H', W') in and out, before the colours do. Defaults to
            None: nothing.

    Returns:
        Tensor: 0 background, 1..C, (B, H, W), int64.
    """
    batch, _, height, width = cams.shape
    half = (height // 2, width // 2)
    images = F.interpolate(images, half, mode='bilinear')
    # Only the present classes compete: the K of the image that has most.
    most = max(int(onehot.sum(1).max()), 1)
    present, classes = onehot.topk(most, dim=1)  # (B, K)
    small = F.interpolate(cams, half, mode='bilinear').gather(
        1, classes[..., None, None].expand(-1, -1, *half))
    absent = present[..., None, None] <= 0
    scores = []
    for background in (high, low):
        logits = torch.cat([torch.full_like(small[:, :1], background),
                            small.masked_fill(absent, -torch.inf)], dim=1)
        scores.append(logits.softmax(1))
    competing = torch.cat(scores, dim=1)
    if spread is not None:
        competing = spread(competing)
    refined = pixel_adaptive_refinement(images, competing, iterations,
                                        dilations)
    refined = F.interpolate(refined, (height, width), mode='bilinear')
    names = torch.cat([classes.new_zeros(batch, 1), classes + 1], dim=1)
    sure, possible = (
        names.gather(1, part.argmax(1).flatten(1)).view(batch, height, width)
        for part in refined.chunk(2, dim=1))
    labels = sure.masked_fill(sure == 0, ignore_index)
    labels[(sure == 0) & (possible == 0)] = 0
    if inside is not None:
        labels[~inside] = ignore_index
    return labels


def competing_labels(images: Tensor,
                     cams: Tensor,
                     onehot: Tensor,
                     inside: Optional[Tensor] = None,
                     power: float = 1.,
                     iterations: int = 20,
                     dilations: Tuple[int, ...] = (1, 2, 4, 8, 12, 24),
                     ignore_index: int = 255) -> Tensor:
    """Labels without thresholds: maps and background compete (WeCLIP).

    The background's score is ``(1 - strongest map) ** power``; the photo's
    colours refine all scores at full size, and the largest one wins.

    Args:
        images (Tensor): RGB in [0, 1], (B, 3, H, W).
        cams (Tensor): In [0, 1], (B, C, H, W).
        onehot (Tensor): Image-level labels, (B, C).
        inside (Tensor, optional): False outside the photo, (B, H, W); labels
            there are ``ignore_index``.
        power (float): See above. Defaults to 1.
        iterations (int): Rounds of :func:`pixel_adaptive_refinement`.
            Defaults to 20 (published code).
        dilations (tuple[int]): Its distances in pixels. Defaults to
            (1, 2, 4, 8, 12, 24).
        ignore_index (int): Label outside the photo. Defaults to 255.

    Returns:
        Tensor: 0 background, 1..C, (B, H, W), int64.
    """
    # Only the present classes compete: the K of the image that has most.
    most = max(int(onehot.sum(1).max()), 1)
    present, classes = onehot.topk(most, dim=1)  # (B, K)
    maps = cams.gather(1, classes[..., None, None].expand(
        -1, -1, *cams.shape[2:])) * (present > 0)[..., None, None]
    background = (1 - maps.amax(1, keepdim=True))**power
    refined = pixel_adaptive_refinement(
        images, torch.cat([background, maps], dim=1), iterations, dilations)
    winner = refined.argmax(1)
    names = torch.cat([classes.new_zeros(len(classes), 1), classes + 1], 1)
    labels = names.gather(1, winner.flatten(1)).view_as(winner)
    if inside is not None:
        labels[~inside] = ignore_index
    return labels
