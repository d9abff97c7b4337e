"""Frozen tokens of many layers brought together (WeCLIP)."""
from typing import Sequence, Tuple

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmwsss.registry import MODELS


@MODELS.register_module()
class TokenFusion(BaseModule):
    """An MLP a layer, then one 1x1 convolution over all of them.

    Zhang et al., "Frozen CLIP", CVPR 2024, section 3.3.

    Args:
        in_channels (int): D, width of the tokens.
        num_levels (int): Layers whose tokens come in.
        channels (int): Width of what goes out. Defaults to 256 (published
            code).
        dropout (float): Probability that a channel is dropped at the end.
            Defaults to 0.1 (published code).

    Example:
        >>> fusion = TokenFusion(8, num_levels=2, channels=4)
        >>> fusion([torch.rand(1, 1 + 6, 8)] * 2, (2, 3)).shape
        torch.Size([1, 4, 2, 3])
    """

    def __init__(self,
                 in_channels: int,
                 num_levels: int,
                 channels: int = 256,
                 dropout: float = 0.1) -> None:
        super().__init__()
        self.mlps = nn.ModuleList(
            nn.Sequential(nn.Linear(in_channels, channels), nn.ReLU(),
                          nn.Linear(channels, channels))
            for _ in range(num_levels))
        self.fuse = nn.Conv2d(num_levels * channels, channels, 1)
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, levels: Sequence[Tensor],
                grid: Tuple[int, int]) -> Tensor:
        """Fuse the patch tokens.

        Args:
            levels (Sequence[Tensor]): Class token and patches of each layer,
                (B, 1 + N, D) each.
            grid (tuple[int, int]): Rows and columns of the N patches.

        Returns:
            Tensor: (B, channels, h, w).
        """
        maps = [mlp(tokens[:, 1:]).transpose(1, 2).unflatten(2, grid)
                for mlp, tokens in zip(self.mlps, levels, strict=True)]
        return self.dropout(self.fuse(torch.cat(maps, dim=1)))
