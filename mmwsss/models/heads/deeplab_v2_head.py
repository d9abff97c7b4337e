"""DeepLab-V2's atrous spatial pyramid."""
from typing import Any, List, Sequence

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from mmwsss.registry import MODELS


@MODELS.register_module()
class DeepLabV2Head(BaseDecodeHead):
    """Sum of dilated 3x3 classifiers.

    Chen et al., "DeepLab: Semantic Image Segmentation with Deep Convolutional
    Nets, Atrous Convolution, and Fully Connected CRFs", TPAMI 2018. mmseg's
    ``ASPPHead`` is the one of DeepLab-V3.

    Args:
        dilations (Sequence[int]): Dilation of each classifier, in positions of
            the feature map. Defaults to the published (6, 12, 18, 24).
        **kwargs: See mmseg's ``BaseDecodeHead``.
    """

    def __init__(self, dilations: Sequence[int] = (6, 12, 18, 24),
                 **kwargs: Any) -> None:
        kwargs.setdefault('loss_decode', dict(type='mmseg.CrossEntropyLoss'))
        super().__init__(channels=kwargs['in_channels'], dropout_ratio=0,
                         **kwargs)
        self.conv_seg = nn.ModuleList(
            nn.Conv2d(self.in_channels, self.out_channels, 3, padding=d,
                      dilation=d) for d in dilations)

    def init_weights(self) -> None:
        """As published: normal with standard deviation 0.01."""
        for conv in self.conv_seg:
            nn.init.normal_(conv.get_parameter('weight'), std=0.01)
            nn.init.zeros_(conv.get_parameter('bias'))

    def forward(self, inputs: List[Tensor]) -> Tensor:
        """Classify each position.

        Args:
            inputs (list[Tensor]): The backbone's feature maps, (B, D, h, w).

        Returns:
            Tensor: Logits, (B, classes, h, w).
        """
        x = self._transform_inputs(inputs)
        return sum(conv(x) for conv in self.conv_seg)
