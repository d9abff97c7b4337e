"""Class maps from patch tokens, pooled by rank."""
from typing import Optional

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmwsss.ops import gwrp
from mmwsss.registry import MODELS


@MODELS.register_module()
class PatchGWRPHead(BaseModule):
    """A 3x3 convolution to one map a class, pooled by GWRP.

    Source: MMCT supplement A (decay 0.996); MCTformer+.

    Args:
        num_classes (int): C, number of classes.
        in_channels (int): D, width of the patch tokens.
        decay (float): Decay of :func:`mmwsss.ops.gwrp`. Defaults to 0.996.
        init_cfg (dict, optional): See mmengine's ``BaseModule``.
    """

    def __init__(self,
                 num_classes: int,
                 in_channels: int,
                 decay: float = 0.996,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        self.decay = decay
        self.conv = nn.Conv2d(in_channels, num_classes, 3, padding=1)

    def forward(self, feature_map: Tensor) -> Tensor:
        """Patch tokens as a map (B, D, h, w) -> class maps (B, C, h, w)."""
        return self.conv(feature_map)

    def pool(self, maps: Tensor) -> Tensor:
        """Class maps (B, C, h, w) -> logits (B, C)."""
        return gwrp(maps, self.decay)
