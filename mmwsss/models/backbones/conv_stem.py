"""A few small convolutions in place of a ViT's patch embedding."""
import math
from typing import Any, List, Tuple, Union

from torch import Tensor, nn

from mmwsss.registry import MODELS


def _one(name: str, value: Union[int, Tuple[int, int]]) -> int:
    """The side of a square given as ``value`` or ``(value, value)``."""
    sides = {value} if isinstance(value, int) else set(value)
    if len(sides) != 1:
        raise ValueError(f'ConvStem: {name}={value} is not square')
    return sides.pop()


@MODELS.register_module()
class ConvStem(nn.Sequential):
    """Stride-2 convolutions that together step as far as one patch.

    A ViT that starts from random weights learns much faster on top of it than
    on one large convolution. It has a convolution's interface, so that any
    ViT takes it by config: ``patch_cfg=dict(conv_type='mmwsss.ConvStem')``.

    Source: Xiao et al., "Early Convolutions Help Transformers See Better",
    NeurIPS 2021.

    Args:
        in_channels (int): Channels of the image: 3.
        out_channels (int): D, width of the patch tokens.
        kernel_size (int | tuple[int, int]): The patch size, as ``stride``.
        stride (int | tuple[int, int]): The patch size in pixels, a power of
            2 and square.
        bias (bool): Whether the last convolution has one. Defaults to True.
        **kwargs: ``padding=0`` and ``dilation=1`` of a convolution's
            interface; no other values are possible.

    Raises:
        ValueError: If an argument asks for what the stem cannot do.

    Example:
        >>> stem = ConvStem(3, 96, kernel_size=8, stride=8)
        >>> stem(torch.rand(2, 3, 64, 64)).shape
        torch.Size([2, 96, 8, 8])
    """

    def __init__(self,
                 in_channels: int,
                 out_channels: int,
                 kernel_size: Union[int, Tuple[int, int]],
                 stride: Union[int, Tuple[int, int]],
                 bias: bool = True,
                 **kwargs: Any) -> None:
        patch = _one('stride', stride)
        steps = int(math.log2(patch))
        if 2**steps != patch or steps == 0:
            raise ValueError(f'ConvStem: the patch size must be 2, 4, 8, ..., '
                             f'got {patch}')
        if _one('kernel_size', kernel_size) != patch:
            raise ValueError(f'ConvStem: kernel_size={kernel_size} must be '
                             f'stride={stride}')
        for name, only in (('padding', 0), ('dilation', 1)):
            value = kwargs.pop(name, only)
            if _one(name, value) != only:
                raise ValueError(f'ConvStem: {name}={value} must be {only}')
        if kwargs:
            raise ValueError(f'ConvStem: unknown {sorted(kwargs)}')
        layers: List[nn.Module] = []
        width = in_channels
        for step in reversed(range(steps)):
            # ..., D / 4, D / 2, D: twice as wide with each halving.
            wider = max(1, out_channels >> step)
            # An even kernel: a 3x3 one of stride 2 looks up and left of the
            # patch's centre, and maps come out shifted down and right.
            layers += [nn.Conv2d(width, wider, 4, 2, 1, bias=False),
                       nn.BatchNorm2d(wider), nn.ReLU(inplace=True)]
            width = wider
        super().__init__(*layers, nn.Conv2d(width, out_channels, 1,
                                            bias=bias))
        # Attributes of a convolution, for mmpretrain's patch embedding.
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size = self.stride = (patch, patch)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, D, H / patch, W / patch)."""
        return super().forward(images)
