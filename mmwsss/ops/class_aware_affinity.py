"""Class-aware affinity from attention (CLIP-ES), and its refinement."""
import torch
import torch.nn.functional as F
from torch import Tensor


def sinkhorn(affinity: Tensor, rounds: int = 3) -> Tensor:
    """Divide by the sums of columns, then of rows, several times.

    In the limit rows and columns sum to 1 (Sinkhorn 1964).

    Args:
        affinity (Tensor): Positive, (..., N, N).
        rounds (int): How often. Defaults to 3, as in CLIP-ES.

    Returns:
        Tensor: Of the same shape; its rows sum to 1.
    """
    for _ in range(rounds):
        affinity = affinity / affinity.sum(-2, keepdim=True)
        affinity = affinity / affinity.sum(-1, keepdim=True)
    return affinity


def transition_matrix(attention: Tensor, rounds: int = 3,
                      squarings: int = 1) -> Tensor:
    """What attention says of how class evidence spreads among patches.

    Lin et al., "CLIP is Also an Efficient Segmenter: A Text-Driven Approach
    for Weakly Supervised Semantic Segmentation", CVPR 2023, section 3.3: the
    attention of patches to patches is made doubly stochastic and symmetric,
    and multiplied with itself.

    Args:
        attention (Tensor): Rows are queries, (..., N, N), positive.
        rounds (int): Of :func:`sinkhorn`. Defaults to 3.
        squarings (int): How often the matrix is multiplied with itself.
            Defaults to 1.

    Returns:
        Tensor: Symmetric where ``squarings`` is 0 or 1, (..., N, N).
    """
    doubly = sinkhorn(attention, rounds)
    matrix = (doubly + doubly.transpose(-2, -1)) / 2
    for _ in range(squarings):
        matrix = matrix @ matrix
    return matrix


def select_attention(attention: Tensor, learned: Tensor) -> Tensor:
    """Attention refined by a learned affinity (WeCLIP's RFM).

    Zhang et al., "Frozen CLIP: A Strong Backbone for Weakly Supervised
    Semantic Segmentation", CVPR 2024, section 3.4, in the form of the
    published code: the layers whose attention sums up to at least the mean of
    all layers are averaged, and multiplied with the learned affinity. (The
    sum is over patches only, so these are the layers that attend least to the
    class token; the learned affinity has no part in the choice.)

    Args:
        attention (Tensor): Of several layers, patches to patches, mean over
            heads, (B, A, N, N).
        learned (Tensor): Affinity of the patches in [0, 1], (B, N, N).

    Returns:
        Tensor: (B, N, N).
    """
    totals = attention.sum((-2, -1))  # (B, A)
    chosen = (totals >= totals.mean(1, keepdim=True)).to(attention)
    total = torch.einsum('ba,banm->bnm', chosen, attention)
    # The small constant is the published code's.
    return total / (chosen.sum(1)[:, None, None] + 1e-5) * learned


def box_mask(maps: Tensor, threshold: float,
             cover_edge: bool = False) -> Tensor:
    """The rectangles around the bright regions of each map.

    CLIP-ES's: a pixel is bright if its 8-bit value exceeds ``threshold``
    times the largest one; a region is what hangs together by eight
    neighbours. All maps go together: a region's largest index spreads until
    nothing changes, and the rectangles are summed up from their corners.

    Args:
        maps (Tensor): In [0, 1], (..., h, w).
        threshold (float): In [0, 1).
        cover_edge (bool): Whether a rectangle can reach the last row and the
            last column. Defaults to False: it cannot, as published.

    Returns:
        Tensor: Boolean, (..., h, w); False everywhere for a map of zeros.
    """
    shape, (height, width) = maps.shape, maps.shape[-2:]
    maps = maps.reshape(-1, height, width)
    # The peak of the published maps is just below 1, hence 254 of 255.
    peak = maps.amax((1, 2), keepdim=True)
    levels = (255 * maps / (peak + 1e-7)).floor()
    limit = (threshold * levels.amax((1, 2), keepdim=True)).floor()
    bright = levels > limit
    count = height * width
    index = torch.arange(1, count + 1, device=maps.device, dtype=torch.float32)
    names = index.view(1, height, width) * bright
    while True:
        spread = F.max_pool2d(names[:, None], 3, 1, 1)[:, 0] * bright
        if torch.equal(spread, names):
            break
        names = spread
    names = names.long().flatten(1)  # (M, h * w), 0 where it is dark
    place = torch.arange(count, device=maps.device).expand(len(maps), -1)
    corners = []
    for at, end in ((place // width, height), (place % width, width)):
        low = at.new_full((len(maps), count + 1), end)
        low.scatter_reduce_(1, names, at, 'amin')
        high = at.new_full((len(maps), count + 1), -1)
        high.scatter_reduce_(1, names, at, 'amax')
        last = end if cover_edge else end - 1
        corners.append((low.clamp(max=last), (high + 1).clamp(max=last)))
    (top, bottom), (left, right) = corners
    # Index 0 is the dark part: no rectangle.
    valid = ((bottom > top) & (right > left)).to(maps)
    valid[:, 0] = 0
    edges = maps.new_zeros(len(maps), (height + 1) * (width + 1))
    for y, x, sign in ((top, left, 1), (top, right, -1), (bottom, left, -1),
                       (bottom, right, 1)):
        edges.scatter_add_(1, y.clamp(min=0) * (width + 1) + x.clamp(min=0),
                           sign * valid)
    cover = edges.view(-1, height + 1, width + 1).cumsum(1).cumsum(2)
    return (cover[:, :height, :width] > 0.5).view(shape)


def class_aware_affinity(maps: Tensor, transition: Tensor, threshold: float,
                         cover_edge: bool = False) -> Tensor:
    """Spread maps along a transition, from within their own boxes only.

    CLIP-ES, equation 7: a patch receives evidence for a class from the
    patches in the :func:`box_mask` of the class.

    Args:
        maps (Tensor): In [0, 1], (B, K, h, w).
        transition (Tensor): See :func:`transition_matrix`, (B, N, N) with
            N = h * w.
        threshold (float): Of the boxes.
        cover_edge (bool): See :func:`box_mask`. Defaults to False.

    Returns:
        Tensor: Not scaled, (B, K, h, w).
    """
    inside = maps * box_mask(maps, threshold, cover_edge)
    return (inside.flatten(2) @ transition.transpose(1, 2)).view_as(maps)
