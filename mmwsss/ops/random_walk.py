"""Random walk over pixels that no edge parts (IRN, CVPR 2019)."""
import warnings
from functools import cache
from typing import List, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor

Offset = Tuple[int, int]


@cache
def search_offsets(radius: int) -> Tuple[Offset, ...]:
    """Offsets (dy, dx) to half of the pixels closer than ``radius``.

    The other half are the same pairs seen from the other end.
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
        radius (int): Pairs farther apart have no affinity.

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
        beta (float): Power of the affinities.
        radius (int): As in :func:`edge_affinity`.

    Returns:
        Tensor: Sparse CSR, (N, N) with N = B * H * W. Row j holds the weights
        with which pixel j takes the values of its neighbours and of itself;
        they sum to 1. Images of a batch do not meet.
    """
    batch, _, height, width = affinity.shape
    count = batch * height * width
    nodes = torch.arange(count, device=affinity.device).view(
        batch, height, width)
    sources: List[Tensor] = [nodes.flatten()]
    targets: List[Tensor] = [nodes.flatten()]
    weights: List[Tensor] = [affinity.new_ones(count)]
    for (y, x), pair in zip(search_offsets(radius),
                            (affinity**beta).unbind(1)):
        rows = slice(0, max(0, height - y))
        columns = slice(max(0, -x), max(0, width - max(0, x)))
        source = nodes[:, rows, columns].flatten()
        target = source + y * width + x
        weight = pair[:, rows, columns].flatten()
        sources += [source, target]
        targets += [target, source]
        weights += [weight, weight]
    source, target = torch.cat(sources), torch.cat(targets)
    weight = torch.cat(weights)
    total = torch.zeros_like(weights[0]).index_add_(0, target, weight)
    with warnings.catch_warnings():
        # Torch tells each process once that this layout is in beta.
        warnings.simplefilter('ignore', UserWarning)
        matrix = torch.sparse_coo_tensor(
            torch.stack([target, source]), weight / total[target],
            (count, count))
        return matrix.coalesce().to_sparse_csr()


def affinity_walk(maps: Tensor,
                  affinity: Tensor,
                  radius: int = 5,
                  beta: float = 8.,
                  exp_times: int = 8) -> Tensor:
    """Spread maps by ``2 ** exp_times`` steps along affinities.

    The published code of PSA and IRN squares a dense (N, N) matrix
    ``exp_times`` times; here the sparse matrix of one step is applied to the
    K maps, and no (N, N) matrix exists.

    Args:
        maps (Tensor): (K, H, W), or of a batch, (B, K, H, W).
        affinity (Tensor): In [0, 1], (P, H, W) or (B, P, H, W): of each pixel
            with those at ``search_offsets(radius)``, 0 where there is none.
        radius (int): Of the neighbourhood in pixels. Defaults to 5.
        beta (float): Power of the affinities. Defaults to 8.
        exp_times (int): Binary logarithm of the number of steps. Defaults to
            8.

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
    for _ in range(2**exp_times):
        state = step @ state
    state = state.view(batch, height, width, channels).movedim(-1, 1)
    return state.to(maps.dtype)


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
        radius (int): Of the neighbourhood in pixels. Defaults to 5.
        beta (float): Power of the affinities. Defaults to 10.
        exp_times (int): Binary logarithm of the number of steps. Defaults to
            8.

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
