"""What a class looks like in this photo, given to its visual token."""
from typing import Optional

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmwsss.registry import MODELS

from .textual_tokens import context_mlp


@MODELS.register_module()
class VisualContext(BaseModule):
    """Sample-specific visual context (MMCT, abstract).

    Before each of the last layers every visual token receives, through an MLP
    and a residual, this image's patch features pooled with the class's own
    patch evidence: the softmax over the patches of the cosine similarity
    between the class token and the patch tokens. The paper's abstract names
    the context; its form here is our reconstruction.

    Args:
        embed_dims (int): D, width of the tokens.
        num_layers (int): Layers of the backbone.
        last_layers (int): Before how many of the last layers. Defaults to 6,
            ours.
        sharpness (float): Factor on the cosine before the softmax. Defaults
            to 10, ours.
        init_cfg (dict, optional): See mmengine's ``BaseModule``.
    """

    def __init__(self,
                 embed_dims: int,
                 num_layers: int,
                 last_layers: int = 6,
                 sharpness: float = 10.,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        if not 1 <= last_layers <= num_layers:
            raise ValueError(f'visual_context.last_layers={last_layers}: the '
                             f'network has {num_layers} layers')
        self.first = num_layers - last_layers
        self.sharpness = sharpness
        self.mlps = nn.ModuleList(
            context_mlp(embed_dims, embed_dims) for _ in range(last_layers))

    def forward(self, layer: int, visual_tokens: Tensor,
                patch_tokens: Tensor) -> Tensor:
        """Visual tokens that enter a layer.

        Args:
            layer (int): Index of the layer that comes next.
            visual_tokens (Tensor): (B, C, D).
            patch_tokens (Tensor): (B, N, D).

        Returns:
            Tensor: (B, C, D).
        """
        if layer < self.first:
            return visual_tokens
        cosine = F.normalize(visual_tokens, dim=-1) @ F.normalize(
            patch_tokens, dim=-1).transpose(1, 2)
        evidence = (self.sharpness * cosine).softmax(-1)  # (B, C, N)
        pooled = evidence @ patch_tokens  # (B, C, D)
        return visual_tokens + self.mlps[layer - self.first](pooled)
