"""Global weighted rank pooling."""
import torch
from torch import Tensor


def gwrp(maps: Tensor, decay: float = 0.996) -> Tensor:
    """Pool each class map to one score by global weighted rank pooling.

    The scores of a map are sorted in descending order; the ``j``-th gets the
    weight ``decay ** j``; the result is the weighted mean. ``decay=0`` is max
    pooling (with ``0 ** 0 = 1``), ``decay=1`` is average pooling.

    Source: Kolesnikov and Lampert, "Seed, Expand and Constrain", ECCV 2016,
    Sec. 3.2; MMCT (CVPR 2023), supplement A uses ``decay=0.996``.

    Args:
        maps (Tensor): Class maps of shape (B, C, H, W).
        decay (float): The decay ``d`` in [0, 1]. Defaults to 0.996.

    Returns:
        Tensor: Pooled scores of shape (B, C).

    Raises:
        ValueError: If ``maps`` is not 4-dimensional, has no position, or
            ``decay`` is outside [0, 1].

    Example:
        >>> maps = torch.tensor([[[[1., 3.], [2., 4.]]]])
        >>> gwrp(maps, decay=0.)
        tensor([[4.]])
        >>> gwrp(maps, decay=1.)
        tensor([[2.5000]])
    """
    if maps.ndim != 4 or maps.shape[-1] * maps.shape[-2] == 0:
        raise ValueError('gwrp expects maps of shape (B, C, H, W) with at '
                         f'least one position, got {tuple(maps.shape)}')
    if not 0 <= decay <= 1:
        raise ValueError(f'gwrp: decay must be in [0, 1], got {decay}')
    flat = maps.flatten(2)  # (B, C, N)
    if decay == 1:
        return flat.mean(-1)
    if decay == 0:
        # amax would share the gradient among equal scores.
        return flat.max(-1).values
    ranked = flat.sort(dim=-1, descending=True).values  # (B, C, N)
    rank = torch.arange(flat.shape[-1], device=maps.device, dtype=torch.double)
    weights = torch.pow(decay, rank)
    weights = (weights / weights.sum()).to(maps.dtype)  # (N,)
    return ranked @ weights
