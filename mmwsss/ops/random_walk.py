"""Random walks over pixels, which edges stop (IRN, CVPR 2019)."""
import warnings
from functools import cache
from math import comb
from typing import Tuple

import torch
import torch.nn.functional as F
from torch import Tensor

Offset = Tuple[int, int]


@cache
def search_offsets(radius: int) -> Tuple[Offset, ...]:
    """Offsets (dy, dx) to half of the pixels closer than ``radius``.

    The other half are the same pairs seen from the other end.

    Args:
        radius (int): In pixels.

    Returns:
        tuple[tuple[int, int]]: P offsets: to the right, then row by row down.
    """
    right = [(0, x) for x in range(1, radius)]
    below = [(y, x) for y in range(1, radius)
             for x in range(1 - radius, radius) if y * y + x * x < radius**2]
    return tuple(right + below)


@cache
def path_points(offset: Offset) -> Tuple[Offset, ...]:
    """Points of the band of pixels between (0, 0) and ``offset``.

    All grid points of their bounding box whose distance to the line through
    both is below 1, both ends included.

    Args:
        offset (tuple[int, int]): Pixels down and right.

    Returns:
        tuple[tuple[int, int]]: The points, down and right of (0, 0).
    """
    y1, x1 = offset
    ys, xs = range(min(0, y1), max(0, y1) + 1), range(
        min(0, x1), max(0, x1) + 1)
    length = y1 * y1 + x1 * x1
    return tuple((y, x) for y in ys for x in xs
                 if (x * y1 - y * x1)**2 < length)


def edge_affinity(edge: Tensor, radius: int) -> Tensor:
    """Affinity of each pixel with those around it, from class boundaries.

    1 - the strongest edge on the path between two pixels (IRN, eq. 2).

    Args:
        edge (Tensor): Edge strength in [0, 1], (..., H, W).
        radius (int): Pairs are closer than this, in pixels.

    Returns:
        Tensor: (..., P, H, W), at (p, y, x) the affinity of (y, x) and
        ``(y, x) + search_offsets(radius)[p]``; 0 where that lies outside.
    """
    height, width = edge.shape[-2:]
    reach = radius - 1
    # Outside is all edge: no affinity. Paths between two pixels of the image
    # stay inside.
    padded = F.pad(edge, (reach, reach, 0, reach), value=1.)
    strongest = []
    for offset in search_offsets(radius):
        shifted = [padded[..., y:y + height, reach + x:reach + x + width]
                   for y, x in path_points(offset)]
        strongest.append(torch.stack(shifted).amax(0))
    return 1 - torch.stack(strongest, dim=-3)


def walk_matrix(affinity: Tensor, beta: float, radius: int) -> Tensor:
    """Sparse matrix of one step of a random walk.

    Args:
        affinity (Tensor): Of each pixel with its neighbours, 0 where there is
            none, (B, P, H, W); see :func:`edge_affinity`.
        beta (float): Power of the affinities; large ones keep the walk to
            pixels that are very much alike.
        radius (int): That of the affinities, see :func:`edge_affinity`.

    Returns:
        Tensor: Sparse CSR, (N, N) with N = B * H * W. Row j holds the weights
        with which pixel j takes the values of its neighbours and of itself;
        they sum to 1. Images of a batch do not meet.
    """
    batch, _, height, width = affinity.shape
    ahead, reach = search_offsets(radius), radius - 1
    pairs = affinity**beta
    padded = F.pad(pairs, (reach, reach, reach, 0))
    behind = [padded[:, p, reach - y:reach - y + height,
                     reach - x:reach - x + width]
              for p, (y, x) in enumerate(ahead)]
    # Neighbours in the order of their pixels: rows of a CSR are sorted.
    offsets = [(-y, -x) for y, x in reversed(ahead)] + [(0, 0), *ahead]
    weights = torch.stack([*reversed(behind), torch.ones_like(behind[0]),
                           *pairs.unbind(1)], dim=-1)  # (B, H, W, 2P + 1)
    y, x = torch.tensor(offsets, device=affinity.device).unbind(1)
    rows, columns = (torch.arange(size, device=affinity.device)[:, None] + to
                     for size, to in ((height, y), (width, x)))
    inside = (((rows >= 0) & (rows < height))[:, None]
              & (columns >= 0) & (columns < width)).expand_as(weights)
    weights = weights * inside  # a power of 0 is 1 outside as well
    weights = weights / weights.sum(-1, keepdim=True)
    entries = inside.flatten().nonzero()[:, 0]
    nodes = entries // len(offsets) + (y * width + x)[entries % len(offsets)]
    ends = F.pad(inside.sum(-1).flatten().cumsum(0), (1, 0))
    count = batch * height * width
    with warnings.catch_warnings():
        # Torch tells each process once that this layout is in beta.
        warnings.simplefilter('ignore', UserWarning)
        return torch.sparse_csr_tensor(
            ends.int(), nodes.int(), weights.flatten().index_select(
                0, entries), (count, count))


@cache
def chebyshev_of_power(exponent: int, tail: float = 1e-12
                       ) -> Tuple[float, ...]:
    """Coefficients of x^exponent in Chebyshev polynomials.

    They are the chances that ``exponent`` fair steps of length 1 end that far
    from their start. Beyond a few times sqrt(exponent) these are next to
    nothing, so the power of a matrix with eigenvalues in [-1, 1] takes about
    that many products with it instead of ``exponent``.

    Args:
        exponent (int): 1 or more.
        tail (float): As many high terms are left out as sum to less than
            this. Defaults to 1e-12.

    Returns:
        tuple[float]: Of T_0, T_1, ...; they sum to 1.
    """
    chances = [0.] * (exponent + 1)
    for back in range(exponent + 1):
        chances[abs(exponent - 2 * back)] += comb(exponent,
                                                  back) / 2**exponent
    dropped = 0.
    while dropped + chances[-1] < tail:
        dropped += chances.pop()
    total = sum(chances)
    return tuple(chance / total for chance in chances)


def affinity_walk(maps: Tensor,
                  affinity: Tensor,
                  radius: int = 5,
                  beta: float = 8.,
                  exp_times: int = 8) -> Tensor:
    """Spread maps by ``2 ** exp_times`` steps along affinities.

    The published code of PSA and IRN squares a dense (N, N) matrix
    ``exp_times`` times; here the sparse matrix of one step is applied to the
    K maps, and no (N, N) matrix exists. Hundreds of steps take about half as
    many products (:func:`chebyshev_of_power`; the matrix of a step has the
    eigenvalues of a symmetric one, all in [-1, 1]).

    Args:
        maps (Tensor): (K, H, W), or of a batch, (B, K, H, W).
        affinity (Tensor): In [0, 1], (P, H, W) or (B, P, H, W): of each pixel
            with those at ``search_offsets(radius)``, 0 where there is none.
        radius (int): That of the affinities, in pixels. Defaults to 5.
        beta (float): Power of the affinities. Defaults to PSA's 8.
        exp_times (int): Binary logarithm of the number of steps. Defaults to
            PSA's 8.

    Returns:
        Tensor: As ``maps``.
    """
    if maps.ndim == 3:
        return affinity_walk(maps[None], affinity[None], radius, beta,
                             exp_times)[0]
    batch, channels, height, width = maps.shape
    # Hundreds of steps: in float32 rounding would add up, and the indices,
    # not the numbers, take the time.
    step = walk_matrix(affinity.double(), beta, radius)
    state = maps.double().movedim(1, -1).reshape(-1, channels)  # (N, K)
    first, second, *others = chebyshev_of_power(2**exp_times)
    before, state = state, step @ state
    walked = first * before + second * state
    for coefficient in others:
        before, state = state, torch.addmm(before, step, state, beta=-1,
                                           alpha=2)
        walked.add_(state, alpha=coefficient)
    walked = walked.view(batch, height, width, channels).movedim(-1, 1)
    return walked.to(maps.dtype)


def random_walk(maps: Tensor,
                edge: Tensor,
                radius: int = 5,
                beta: float = 10.,
                exp_times: int = 8) -> Tensor:
    """Spread maps by ``2 ** exp_times`` steps that do not cross edges.

    The result of IRN's ``propagate_to_edge``; see :func:`affinity_walk`.

    Args:
        maps (Tensor): (K, H, W), or of a batch, (B, K, H, W).
        edge (Tensor): Edge strength in [0, 1], (H, W) or (B, H, W).
        radius (int): A step goes to a pixel closer than this, in pixels.
            Defaults to IRN's 5.
        beta (float): Power of the affinities. Defaults to IRN's 10.
        exp_times (int): Binary logarithm of the number of steps. Defaults to
            IRN's 8.

    Returns:
        Tensor: As ``maps``.

    Raises:
        ValueError: If sizes differ.

    Example:
        >>> maps, edge = torch.rand(2, 24, 30), torch.rand(24, 30)
        >>> random_walk(maps, edge).shape
        torch.Size([2, 24, 30])
    """
    if maps.ndim not in (3, 4) or (
            maps.shape[:-3] + maps.shape[-2:] != edge.shape):
        raise ValueError(f'maps {tuple(maps.shape)} and edge '
                         f'{tuple(edge.shape)} differ in size')
    free = 1 - edge.double()
    spread = affinity_walk(maps * free.unsqueeze(-3),
                           edge_affinity(edge.double(), radius), radius, beta,
                           exp_times)
    return spread.to(maps.dtype)
