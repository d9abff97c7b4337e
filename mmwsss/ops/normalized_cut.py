"""How well the objects of a map part the colours of a photo."""
from typing import Sequence

import torch
from torch import Tensor

from .pixel_adaptive_refinement import neighbour_weights, neighbours

NO_PARTITION = 2.
"""The normalized cut where all pixels are on one side; the largest there is"""


def normalized_cuts(image: Tensor, scores: Tensor, thresholds: Tensor,
                    dilations: Sequence[int] = (1, 2, 4, 8, 12, 24)
                    ) -> Tensor:
    """Normalized cut of the pixels above each of T thresholds.

    Pixels are tied to their neighbours by :func:`neighbour_weights`, which
    are large between pixels of similar colour. With the pixels above a
    threshold on one side and all others on the other, the normalized cut is

        cut / ties of the one side + cut / ties of the other side,

    where ``cut`` is the weight of all ties between the sides and the ties of
    a side are those of its pixels to all pixels. It is about 1 for sides that
    have nothing to do with the photo, and 0 for sides that no tie joins. As
    it depends on the sides alone, it moves with the maps where these are
    scaled.

    All thresholds come from one pass: a tie is cut at the thresholds between
    the scores of its ends.

    Source: Shi, Malik: "Normalized Cuts and Image Segmentation", PAMI 2000,
    eq. 2; the ties are those of pixel-adaptive refinement.

    Args:
        image (Tensor): In [0, 1], (3, H, W).
        scores (Tensor): (H, W).
        thresholds (Tensor): T rising thresholds.
        dilations (Sequence[int]): Distances at which each pixel has 8
            neighbours, in pixels. Defaults to (1, 2, 4, 8, 12, 24).

    Returns:
        Tensor: In [0, 2], float64, (T, ); ``NO_PARTITION`` where no pixel is
        above the threshold, or all are.

    Example:
        >>> image = torch.zeros(3, 8, 8)
        >>> image[:, :, 4:] = 1
        >>> scores = torch.full((8, 8), 0.2)
        >>> scores[:, 3:] = 0.4  # too large
        >>> scores[:, 4:] = 0.8
        >>> cuts = normalized_cuts(image, scores,
        ...                        torch.tensor([0.1, 0.3, 0.5, 0.9]), (1, 2))
        >>> cuts.argmin().item(), cuts[0].item(), cuts[3].item()
        (2, 2.0, 2.0)
    """
    weights = neighbour_weights(image[None], dilations)[0]  # (P, H, W)
    partners = torch.cat(list(neighbours(scores[None, None], dilations)))[:, 0]
    ends = [torch.bucketize(function(partners, scores), thresholds)
            for function in (torch.minimum, torch.maximum)]
    # A tie is cut at threshold i if bins[lower end] <= i < bins[upper end].
    cut = (_from_above(ends[1], weights, len(thresholds))
           - _from_above(ends[0], weights, len(thresholds)))
    inside = _from_above(torch.bucketize(scores, thresholds), weights.sum(0),
                         len(thresholds))
    outside = weights.double().sum() - inside
    # How many pixels are above is exact, sums of weights are not.
    count = _from_above(torch.bucketize(scores, thresholds),
                        torch.ones_like(scores), len(thresholds))
    parted = (count > 0) & (count < scores.numel())
    cuts = cut / inside + cut / outside
    return torch.where(parted, cuts.clamp(0, NO_PARTITION), NO_PARTITION)


def _from_above(bins: Tensor, weights: Tensor, count: int) -> Tensor:
    """Sum of the weights in the bins above each of the thresholds, (T, )."""
    sums = torch.bincount(bins.flatten(), weights.flatten().double(),
                          count + 1)
    return sums.flip(0).cumsum(0).flip(0)[1:]
