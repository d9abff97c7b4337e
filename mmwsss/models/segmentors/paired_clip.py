"""A second frozen encoder beside CLIP (WeCLIP+)."""
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mmwsss.registry import MODELS

from .frozen_clip import FrozenCLIPSegmentor, FusedFeatures


@MODELS.register_module()
class PairedCLIPSegmentor(FrozenCLIPSegmentor):
    """CLIP says what is where, DINO or DINOv2 what belongs together.

    After Zhang et al., "Frozen CLIP-DINO: A Strong Backbone for Weakly
    Supervised Semantic Segmentation" (WeCLIP+), TPAMI 2025: the decoder, and
    with it the affinity that refines CLIP's maps, also sees the patch tokens
    of a second frozen encoder. Here its fused tokens are added to CLIP's; the
    paper's own way of fusing could not be compared with.

    Args:
        *args: See :class:`FrozenCLIPSegmentor`.
        second (dict): Config of a :class:`TokenViT` with its weights; its
            patches may have another size than CLIP's.
        second_layers (int): Its last layers whose tokens are fused. Defaults
            to 4.
        **kwargs: See :class:`FrozenCLIPSegmentor`.
    """

    def __init__(self, *args: Any, second: dict, second_layers: int = 4,
                 **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.second = MODELS.build(dict(
            second, out_type='raw',
            out_indices=list(range(-second_layers, 0))))
        self.second.requires_grad_(False)
        self.second_fusion = MODELS.build(dict(
            type='TokenFusion', in_channels=self.second.embed_dims,
            num_levels=second_layers,
            channels=self.fusion.fuse.out_channels))

    def train(self, mode: bool = True) -> 'PairedCLIPSegmentor':
        """Set the mode; both encoders stay in evaluation."""
        super().train(mode)
        self.second.train(False)
        return self

    def encode(self, inputs: Tensor) -> FusedFeatures:
        """Also the second encoder's tokens, on the grid of CLIP's patches."""
        encoded = super().encode(inputs)
        grid = encoded.features.grid
        patch = self.second.tap_strides[-1]
        with torch.no_grad():
            levels = self.second(F.interpolate(
                inputs, [side * patch for side in grid], mode='bilinear',
                antialias=True))
        return replace(encoded,
                       fused=encoded.fused + self.second_fusion(levels, grid))
