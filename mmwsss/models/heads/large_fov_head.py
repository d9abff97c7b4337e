"""DeepLab's LargeFOV decoder."""
from typing import Any, List

import torch.nn.functional as F
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from mmwsss.registry import MODELS


@MODELS.register_module()
class LargeFOVHead(BaseDecodeHead):
    """Two dilated 3x3 convolutions and a 1x1 classifier, without biases.

    Chen et al., DeepLab-V1, ICLR 2015, in the form that ToCo uses.

    Args:
        dilation (int): Dilation of both 3x3 convolutions, in positions of the
            feature map. Defaults to ToCo's 5 (section 4.1).
        channels (int): Channels of both 3x3 convolutions. Defaults to 512,
            as in ToCo's code.
        **kwargs: See mmseg's ``BaseDecodeHead``.
    """

    def __init__(self, dilation: int = 5, channels: int = 512,
                 **kwargs: Any) -> None:
        kwargs.setdefault('loss_decode', dict(type='mmseg.CrossEntropyLoss'))
        super().__init__(channels=channels, dropout_ratio=0, **kwargs)
        self.first, self.second = (
            nn.Conv2d(width, channels, 3, padding=dilation,
                      dilation=dilation, bias=False)
            for width in (self.in_channels, channels))
        self.conv_seg = nn.Conv2d(channels, self.out_channels, 1, bias=False)

    def forward(self, inputs: List[Tensor]) -> Tensor:
        """Classify each position.

        Args:
            inputs (list[Tensor]): The backbone's feature maps, (B, D, h, w).

        Returns:
            Tensor: Logits, (B, classes, h, w).
        """
        x = F.relu(self.first(self._transform_inputs(inputs)))
        return self.cls_seg(F.relu(self.second(x)))
