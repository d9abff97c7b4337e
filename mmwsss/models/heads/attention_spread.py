"""Class maps spread along a frozen encoder's attention."""
from typing import Optional, Sequence

import torch
from torch import Tensor

from mmwsss.ops.class_aware_affinity import (
    class_aware_affinity,
    select_attention,
    transition_matrix,
)
from mmwsss.ops.min_max import min_max


class AttentionSpread:
    """Class-aware affinity from attention (CLIP-ES, WeCLIP, ExCEL).

    Args:
        threshold (float): Of the boxes that a class spreads from, see
            :func:`mmwsss.ops.box_mask`.
        layers (int): Last layers whose attention is averaged. Defaults to 8
            (CLIP-ES).
        selected_layers (int, optional): Last layers among which a learned
            affinity selects, where there is one, see
            :func:`mmwsss.ops.select_attention`. Defaults to None: as
            ``layers``.
        cover_edge (bool): See :func:`mmwsss.ops.box_mask`. Defaults to False.
    """

    def __init__(self, threshold: float, layers: int = 8,
                 selected_layers: Optional[int] = None,
                 cover_edge: bool = False) -> None:
        self.threshold = threshold
        self.mean_layers = layers
        self.selected_layers = selected_layers or layers
        self.cover_edge = cover_edge

    @property
    def layers(self) -> int:
        """Of how many of the last layers the attention is needed."""
        return max(self.mean_layers, self.selected_layers)

    def __call__(self, maps: Tensor, attention: Sequence[Tensor],
                 learned: Optional[Tensor] = None) -> Tensor:
        """Spread maps.

        Args:
            maps (Tensor): In [0, 1], (B, K, h, w).
            attention (Sequence[Tensor]): Of the last layers, patches to
                patches, (B, N, N) each.
            learned (Tensor, optional): Affinity of the patches, (B, N, N).
                Defaults to None: the attention alone.

        Returns:
            Tensor: In [0, 1], (B, K, h, w).
        """
        count = self.selected_layers if learned is not None else (
            self.mean_layers)
        stacked = torch.stack([*attention[-count:]], dim=1)  # (B, A, N, N)
        weights = stacked.mean(1) if learned is None else select_attention(
            stacked, learned)
        return min_max(class_aware_affinity(
            maps, transition_matrix(weights), self.threshold,
            self.cover_edge))
