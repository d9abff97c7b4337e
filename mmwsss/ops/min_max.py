"""Normalisation of class maps."""
from torch import Tensor


def min_max(maps: Tensor) -> Tensor:
    """Scale each map to [0, 1] over its pixels.

    A constant map becomes 0 everywhere.

    Args:
        maps (Tensor): Of any finite values, (..., H, W).

    Returns:
        Tensor: Same shape.
    """
    low = maps.amin((-2, -1), keepdim=True)
    span = maps.amax((-2, -1), keepdim=True) - low
    # The smallest span that still divides cleanly in float32; a fixed larger
    # constant would darken maps whose values are small.
    return (maps - low) / span.clamp(min=1e-12)
