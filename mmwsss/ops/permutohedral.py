"""Gaussian filtering in many dimensions on the permutohedral lattice."""
from typing import List, Tuple

import torch
from torch import Tensor


class PermutohedralLattice:
    """Filters values with a Gaussian over feature vectors.

    Approximates ``out_i = sum_j exp(-|f_i - f_j|^2 / 2) * value_j`` in time
    linear in the number of points, as the C++ filters of dense CRFs do
    (Adams, Baek, Davis: "Fast High-Dimensional Filtering Using the
    Permutohedral Lattice", Eurographics 2010), in plain PyTorch: on CPU and
    GPU, with gradient, nothing to compile. Like theirs the sum is not
    normalised; its values are about half of the exact sum.

    The lattice is built once; :meth:`filter` can be called many times.

    Args:
        features (Tensor): Points, each coordinate divided by its standard
            deviation, (B, N, d).

    Example:
        >>> lattice = PermutohedralLattice(torch.rand(2, 100, 5))
        >>> lattice.filter(torch.rand(2, 3, 100)).shape
        torch.Size([2, 3, 100])
    """

    def __init__(self, features: Tensor) -> None:
        if features.ndim != 3:
            raise ValueError('features must be (B, N, d), got '
                             f'{tuple(features.shape)}')
        self.shape = tuple(features.shape[:2])
        self.dims = features.shape[2]
        keys, self.weights = _simplices(features.detach())
        codes, steps = _encode(keys, self.dims)
        vertices, inverse = codes.flatten().unique(return_inverse=True)
        # Of the d + 1 corners of each point's simplex, (B, N, d + 1).
        self.corners = inverse.view(codes.shape)
        self.num_vertices = len(vertices)
        # Along each axis the vertices before and after each vertex.
        self.neighbours = [
            tuple(_find(vertices, vertices + way) for way in (-step, step))
            for step in steps
        ]

    def filter(self, values: Tensor) -> Tensor:
        """Filter maps; differentiable.

        Args:
            values (Tensor): Of each point, (B, C, N).

        Returns:
            Tensor: Weighted sums over the points near by, (B, C, N).

        Raises:
            ValueError: If B or N is not that of the features.
        """
        if (values.shape[0], values.shape[2]) != self.shape:
            raise ValueError(f'values {tuple(values.shape)} do not belong to '
                             f'features of {self.shape} (B, N)')
        points = values.transpose(1, 2)  # (B, N, C)
        weights = self.weights.to(values.dtype).unsqueeze(-1)
        splat = (points.unsqueeze(2) * weights).flatten(0, 2)
        # The last row stands for all vertices that nothing was splatted on.
        lattice = splat.new_zeros(self.num_vertices + 1, splat.shape[-1])
        lattice = lattice.index_add(0, self.corners.flatten(), splat)
        for before, after in self.neighbours:
            blurred = lattice[:-1] + 0.5 * (lattice[before] + lattice[after])
            lattice = torch.cat([blurred, lattice[-1:]])
        sliced = (lattice[self.corners] * weights).sum(2)  # (B, N, C)
        return sliced.transpose(1, 2) / (1 + 2.**-self.dims)


def _simplices(features: Tensor) -> Tuple[Tensor, Tensor]:
    """Corners (B, N, d + 1, d) and barycentric weights (B, N, d + 1)."""
    dims = features.shape[-1]
    device, dtype = features.device, features.dtype
    axis = torch.arange(1, dims + 1, device=device, dtype=dtype)
    # A blur of (1, 2, 1) / 2 along each axis has this deviation in total.
    scaled = features * ((dims + 1) * (2 / 3)**0.5 /
                         (axis * (axis + 1)).sqrt())
    # Onto the plane whose coordinates sum to zero.
    tail = scaled.flip(-1).cumsum(-1).flip(-1)  # sum from this axis on
    elevated = torch.cat([tail[..., :1], torch.cat(
        [tail[..., 1:], torch.zeros_like(tail[..., :1])], -1)
        - axis * scaled], -1)  # (B, N, d + 1)
    nearest = (elevated / (dims + 1)).round()
    excess = nearest.sum(-1, keepdim=True).long()
    nearest = nearest.long() * (dims + 1)
    offset = elevated - nearest
    order = offset.argsort(dim=-1, descending=True, stable=True)
    rank = order.argsort(dim=-1) + excess
    low, high = (rank < 0).long(), (rank > dims).long()
    shift = (dims + 1) * (low - high)
    rank, nearest = rank + shift, nearest + shift

    offset = (elevated - nearest) / (dims + 1)
    by_rank = torch.zeros_like(offset).scatter(-1, dims - rank, offset)
    # weight[k] = by_rank[k] - by_rank[k - 1]; the last comes before the first.
    weights = by_rank - by_rank.roll(1, -1)
    weights[..., 0] += 1
    corner = torch.arange(dims + 1, device=device).view(-1, 1)
    place = rank[..., None, :dims]  # (B, N, 1, d)
    keys = nearest[..., None, :dims] + corner - (dims + 1) * (
        place > dims - corner).long()
    return keys, weights


def _encode(keys: Tensor, dims: int) -> Tuple[Tensor, List[int]]:
    """Number the lattice points, and tell what a step along each axis adds.

    Keys of different images of the batch never meet.
    """
    margin = dims + 1  # longer than a step, which thus never wraps around
    flat = keys.flatten(0, 2)
    low = flat.amin(0) - margin
    sizes = (flat.amax(0) + margin - low + 1).tolist()
    radix = [1]
    for size in sizes:
        radix.append(radix[-1] * size)
    if radix[-1] * len(keys) >= 2**63:
        raise ValueError('features spread too wide for the lattice: '
                         f'{sizes} cells; divide by larger deviations')
    base = torch.tensor(radix[:-1], device=keys.device)
    images = torch.arange(len(keys), device=keys.device) * radix[-1]
    codes = ((keys - low) * base).sum(-1) + images.view(-1, 1, 1)
    # Along axis j: -d in coordinate j, +1 in all others; the last coordinate
    # is not stored, as all sum to zero.
    ones = int(base.sum())
    steps = [ones - (dims + 1) * int(r) for r in radix[:-1]] + [ones]
    return codes, steps


def _find(vertices: Tensor, wanted: Tensor) -> Tensor:
    """Index of each wanted code in sorted ``vertices``.

    The index of a code that is not there is the number of vertices.
    """
    place = torch.searchsorted(vertices, wanted)
    found = vertices[place.clamp(max=len(vertices) - 1)] == wanted
    return torch.where(found, place, len(vertices))
