"""DeepLab-V1's LargeFOV head as it sits on ResNet38d."""
from typing import Any, List

import torch.nn.functional as F
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from mmwsss.registry import MODELS


@MODELS.register_module()
class DeepLabV1Head(BaseDecodeHead):
    """Two dilated 3x3 convolutions with biases, the second one classifies.

    Chen et al., DeepLab-V1, ICLR 2015, as MCTformer and MMCT use it on
    ResNet38d (MMCT supplement A).

    Args:
        dilation (int): Dilation of both convolutions, in positions of the
            feature map. Defaults to the published 12.
        channels (int): Channels between the two convolutions. Defaults to
            512, as in MCTformer's code.
        **kwargs: See mmseg's ``BaseDecodeHead``.
    """

    def __init__(self, dilation: int = 12, channels: int = 512,
                 **kwargs: Any) -> None:
        kwargs.setdefault('loss_decode', dict(type='mmseg.CrossEntropyLoss'))
        super().__init__(channels=channels, dropout_ratio=0, **kwargs)
        self.conv, self.conv_seg = (
            nn.Conv2d(width, wanted, 3, padding=dilation, dilation=dilation)
            for width, wanted in ((self.in_channels, channels),
                                  (channels, self.out_channels)))

    def init_weights(self) -> None:
        """As published: Xavier."""
        for conv in (self.conv, self.conv_seg):
            nn.init.xavier_uniform_(conv.weight)

    def forward(self, inputs: List[Tensor]) -> Tensor:
        """Classify each position.

        Args:
            inputs (list[Tensor]): The backbone's feature maps, (B, D, h, w).

        Returns:
            Tensor: Logits, (B, classes, h, w).
        """
        return self.cls_seg(F.relu(self.conv(self._transform_inputs(inputs))))
