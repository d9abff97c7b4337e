"""Wide ResNet-38 with dilated convolutions, the field's second backbone."""
from typing import Dict, Optional, Sequence, Tuple

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmwsss.models.pretrained import load_backbone_weights
from mmwsss.registry import MODELS


class _Block(nn.Module):
    """Two 3x3 convolutions, each after batch norm and ReLU.

    Where the shape changes, the shortcut is a convolution of the *activated*
    input; else it is the input itself.
    """

    def __init__(self, in_channels: int, mid_channels: int, channels: int,
                 stride: int = 1, dilations: Tuple[int, int] = (1, 1)) -> None:
        super().__init__()
        first, second = dilations
        self.bn_branch2a = nn.BatchNorm2d(in_channels)
        self.conv_branch2a = nn.Conv2d(
            in_channels, mid_channels, 3, stride, first, first, bias=False)
        self.bn_branch2b1 = nn.BatchNorm2d(mid_channels)
        self.conv_branch2b1 = nn.Conv2d(
            mid_channels, channels, 3, 1, second, second, bias=False)
        self.same_shape = in_channels == channels and stride == 1
        if not self.same_shape:
            self.conv_branch1 = nn.Conv2d(
                in_channels, channels, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:
        """The block's output, and its activated input."""
        active = F.relu(self.bn_branch2a(x))
        shortcut = x if self.same_shape else self.conv_branch1(active)
        inner = self.conv_branch2a(active)
        inner = self.conv_branch2b1(F.relu(self.bn_branch2b1(inner)))
        return inner + shortcut, active


class _Bottleneck(nn.Module):
    """1x1, dilated 3x3 and 1x1 convolutions; the shortcut is convolved."""

    def __init__(self, in_channels: int, channels: int, dilation: int,
                 dropout: float) -> None:
        super().__init__()
        quarter, half = channels // 4, channels // 2
        self.bn_branch2a = nn.BatchNorm2d(in_channels)
        self.conv_branch2a = nn.Conv2d(in_channels, quarter, 1, bias=False)
        self.bn_branch2b1 = nn.BatchNorm2d(quarter)
        self.conv_branch2b1 = nn.Conv2d(
            quarter, half, 3, padding=dilation, dilation=dilation, bias=False)
        self.bn_branch2b2 = nn.BatchNorm2d(half)
        self.conv_branch2b2 = nn.Conv2d(half, channels, 1, bias=False)
        self.conv_branch1 = nn.Conv2d(in_channels, channels, 1, bias=False)
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:
        """The block's output, and its activated input."""
        active = F.relu(self.bn_branch2a(x))
        inner = self.conv_branch2a(active)
        inner = self.conv_branch2b1(
            self.dropout(F.relu(self.bn_branch2b1(inner))))
        inner = self.conv_branch2b2(
            self.dropout(F.relu(self.bn_branch2b2(inner))))
        return inner + self.conv_branch1(active), active


# Name, input channels, channels of the first convolution, output channels,
# stride, dilations: Wu, Shen and van den Hengel's network A1, as PSA uses it.
_BLOCKS: Tuple[Tuple[str, int, int, int, int, Tuple[int, int]], ...] = (
    ('b2', 64, 128, 128, 2, (1, 1)),
    *((f'b2_{i}', 128, 128, 128, 1, (1, 1)) for i in (1, 2)),
    ('b3', 128, 256, 256, 2, (1, 1)),
    *((f'b3_{i}', 256, 256, 256, 1, (1, 1)) for i in (1, 2)),
    ('b4', 256, 512, 512, 2, (1, 1)),
    *((f'b4_{i}', 512, 512, 512, 1, (1, 1)) for i in range(1, 6)),
    ('b5', 512, 512, 1024, 1, (1, 2)),
    *((f'b5_{i}', 1024, 512, 1024, 1, (2, 2)) for i in (1, 2)),
)


@MODELS.register_module()
class ResNet38d(BaseModule):
    """ResNet-38 of output stride 8, under the published parameter names.

    Wu, Shen, van den Hengel: "Wider or Deeper: Revisiting the ResNet Model
    for Visual Recognition", 2016; dilated as in PSA (CVPR 2018). Batch norm
    always uses its stored statistics and is not trained, as in the published
    code.

    Args:
        pretrained (str, optional): Path or URL of a ``.pth`` with PSA's
            parameter names; the rest of the file is left out. Defaults to
            None.
        frozen_blocks (Sequence[str]): Blocks that are not trained. Defaults
            to the published ('conv1a', 'b2', 'b2_1', 'b2_2').
        init_cfg (dict, optional): See mmengine's ``BaseModule``.

    Example:
        >>> import torch
        >>> with torch.device('meta'):  # sizes without the memory for them
        ...     features = ResNet38d()(torch.rand(1, 3, 33, 40))
        >>> [tuple(x.shape) for x in features]
        [(1, 512, 5, 5), (1, 1024, 5, 5), (1, 4096, 5, 5)]
    """

    tap_channels = (512, 1024, 4096)
    tap_strides = (8, 8, 8)

    def __init__(self,
                 pretrained: Optional[str] = None,
                 frozen_blocks: Sequence[str] = ('conv1a', 'b2', 'b2_1',
                                                 'b2_2'),
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        self.pretrained = pretrained
        self.conv1a = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        for name, before, middle, after, stride, dilations in _BLOCKS:
            self.add_module(
                name, _Block(before, middle, after, stride, dilations))
        self.b6 = _Bottleneck(1024, 2048, dilation=4, dropout=0.3)
        self.b7 = _Bottleneck(2048, 4096, dilation=4, dropout=0.5)
        self.bn7 = nn.BatchNorm2d(4096)
        for name in frozen_blocks:
            getattr(self, name).requires_grad_(False)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.requires_grad_(False)

    def init_weights(self) -> None:
        """Random initialisation, then ``pretrained`` where given."""
        super().init_weights()
        if self.pretrained is not None:
            load_backbone_weights(self, self.pretrained)

    def train(self, mode: bool = True) -> 'ResNet38d':
        """Set the mode; batch norm keeps to its stored statistics."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def forward(self, images: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        """Features of stride 8; odd sizes round up.

        Args:
            images (Tensor): Normalised images, (B, 3, H, W).

        Returns:
            tuple[Tensor, Tensor, Tensor]: PSA's ``conv4`` (B, 512, h, w),
            ``conv5`` (B, 1024, h, w) and ``conv6`` (B, 4096, h, w), with
            h = ceil(H / 8).
        """
        x = self.conv1a(images)
        active: Dict[str, Tensor] = {}
        for name in [block[0] for block in _BLOCKS] + ['b6', 'b7']:
            x, active[name] = getattr(self, name)(x)
        return active['b5'], active['b6'], F.relu(self.bn7(x))
