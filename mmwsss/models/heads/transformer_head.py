"""A light decoder: a few transformer layers and a classifier (WeCLIP)."""
from typing import Any, List

from mmpretrain.models.backbones.vision_transformer import (
    TransformerEncoderLayer,
)
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from mmwsss.registry import MODELS


@MODELS.register_module()
class TransformerHead(BaseDecodeHead):
    """CLIP's transformer layers on a feature map, then a 1x1 classifier.

    Zhang et al., "Frozen CLIP", CVPR 2024, section 3.3.

    Args:
        num_layers (int): Defaults to 3 (published code).
        num_heads (int): Defaults to 8 (published code).
        **kwargs: See mmseg's ``BaseDecodeHead``; ``channels`` is
            ``in_channels``.
    """

    def __init__(self, num_layers: int = 3, num_heads: int = 8,
                 **kwargs: Any) -> None:
        kwargs.setdefault('loss_decode', dict(type='mmseg.CrossEntropyLoss'))
        channels = kwargs['in_channels']
        super().__init__(channels=channels, dropout_ratio=0, **kwargs)
        self.layers = nn.Sequential(*(
            TransformerEncoderLayer(
                channels, num_heads, 4 * channels,
                act_cfg=dict(type='mmseg.QuickGELU'),
                norm_cfg=dict(type='LN', eps=1e-5))
            for _ in range(num_layers)))

    def forward(self, inputs: List[Tensor]) -> Tensor:
        """Classify each position.

        Args:
            inputs (list[Tensor]): Feature maps, (B, D, h, w).

        Returns:
            Tensor: Logits, (B, classes, h, w).
        """
        x = self._transform_inputs(inputs)
        tokens = self.layers(x.flatten(2).transpose(1, 2))
        return self.cls_seg(tokens.transpose(1, 2).view_as(x))
