"""Projection of class tokens for contrast."""
import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmwsss.registry import MODELS


@MODELS.register_module()
class ProjectionHead(BaseModule):
    """Three-layer MLP, unit length, then a layer with unit rows.

    DINO's head (Caron et al., "Emerging Properties in Self-Supervised Vision
    Transformers", ICCV 2021), as ToCo uses it.

    Args:
        in_channels (int): D, width of the class tokens.
        out_channels (int): Size of the projection. Defaults to 1024, as in
            ToCo's code.
        hidden_channels (int): Width of the MLP's two hidden layers. Defaults
            to DINO's 2048.
        bottleneck_channels (int): Width of the MLP's output. Defaults to
            DINO's 256.

    Example:
        >>> ProjectionHead(192)(torch.rand(4, 192)).shape
        torch.Size([4, 1024])
    """

    def __init__(self,
                 in_channels: int,
                 out_channels: int = 1024,
                 hidden_channels: int = 2048,
                 bottleneck_channels: int = 256) -> None:
        super().__init__()
        first = nn.Linear(in_channels, hidden_channels)
        second = nn.Linear(hidden_channels, hidden_channels)
        third = nn.Linear(hidden_channels, bottleneck_channels)
        self.mlp = nn.Sequential(first, nn.GELU(), second, nn.GELU(), third)
        self.last_direction = nn.Parameter(
            torch.empty(out_channels, bottleneck_channels))
        # The lengths of the last layer's rows are not trained.
        self.last_length = nn.Parameter(
            torch.ones(out_channels, 1), requires_grad=False)
        for layer in (first, second, third):
            nn.init.trunc_normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)
        nn.init.kaiming_uniform_(self.last_direction, a=5**0.5)

    def forward(self, tokens: Tensor) -> Tensor:
        """Class tokens (N, D) -> projections (N, out_channels)."""
        unit = F.normalize(self.mlp(tokens), dim=-1, eps=1e-12)
        weight = self.last_length * F.normalize(self.last_direction, dim=-1)
        return F.linear(unit, weight)
