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
        affinity (Tensor): From :func:`edge_affinity`, (P, H, W).
        beta (float): Power of the affinities.
        radius (int): As in :func:`edge_affinity`.

    Returns:
        Tensor: Sparse CSR, (N, N) with N = H * W. Row j holds the weights
        with which pixel j takes the values of its neighbours and of itself;
        they sum to 1.
    """
    _, height, width = affinity.shape
    device = affinity.device
    nodes = torch.arange(height * width, device=device).view(height, width)
    sources: List[Tensor] = [nodes.flatten()]
    targets: List[Tensor] = [nodes.flatten()]
    weights: List[Tensor] = [affinity.new_ones(height * width)]
    for (y, x), pair in zip(search_offsets(radius), affinity**beta):
        rows = slice(0, max(0, height - y))
        columns = slice(max(0, -x), max(0, width - max(0, x)))
        source = nodes[rows, columns].flatten()
        target = source + y * width + x
        weight = pair[rows, columns].flatten()
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
            (height * width, height * width))
        return matrix.coalesce().to_sparse_csr()


def random_walk(maps: Tensor,
                edge: Tensor,
                radius: int = 5,
                beta: float = 10.,
                exp_times: int = 8) -> Tensor:
    """Spread maps by ``2 ** exp_times`` steps that do not cross edges.

    The result of IRN's ``propagate_to_edge``, which squares a dense (N, N)
    matrix ``exp_times`` times; here the sparse matrix of one step is applied
    to the K maps, and no (N, N) matrix exists.

    Args:
        maps (Tensor): (K, H, W).
        edge (Tensor): Edge strength in [0, 1], (H, W).
        radius (int): Of the neighbourhood in pixels. Defaults to 5.
        beta (float): Power of the affinities. Defaults to 10.
        exp_times (int): Binary logarithm of the number of steps. Defaults to
            8.

    Returns:
        Tensor: (K, H, W).

    Raises:
        ValueError: If sizes differ.

    Example:
        >>> maps, edge = torch.rand(2, 24, 30), torch.rand(24, 30)
        >>> random_walk(maps, edge).shape
        torch.Size([2, 24, 30])
    """
    if maps.shape[1:] != edge.shape:
        raise ValueError(f'maps {tuple(maps.shape)} and edge '
                         f'{tuple(edge.shape)} differ in size')
    # Hundreds of steps: in float32 rounding would add up, and the indices,
    # not the numbers, take the time.
    free = 1 - edge.double()
    step = walk_matrix(edge_affinity(edge.double(), radius), beta, radius)
    state = (maps * free).flatten(1).t().contiguous()  # (N, K)
    for _ in range(2**exp_times):
        state = step @ state
    return state.t().reshape(maps.shape).to(maps.dtype)
