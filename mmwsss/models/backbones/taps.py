"""Backbones that hand out features of several depths, for affinity."""
from typing import Any, List, Optional, Sequence, Tuple

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmpretrain.models.backbones import ResNet
from torch import Tensor, nn

from mmwsss.models.pretrained import load_backbone_weights
from mmwsss.registry import MODELS


@MODELS.register_module()
class ResNetTaps(ResNet):
    """mmpretrain's ResNet50 or 101; its stem and its four stages.

    As IRN uses it, the weights stay as they are (section 5.1: only the new
    branches are trained). Batch norm keeps to its statistics.

    Args:
        pretrained (str, optional): Path or URL of weights with torchvision's
            names. Defaults to None.
        depth (int): 50, 101 or 152. Defaults to 50.
        strides (Sequence[int]): Strides of the four stages. Defaults to
            IRN's (1, 2, 2, 1).
        frozen_stages (int): Stages that are not trained, from the stem (0)
            on; -1 trains all. Defaults to 4.
        **kwargs: See mmpretrain's ``ResNet``.
    """

    tap_channels = (64, 256, 512, 1024, 2048)

    def __init__(self,
                 pretrained: Optional[str] = None,
                 depth: int = 50,
                 strides: Sequence[int] = (1, 2, 2, 1),
                 frozen_stages: int = 4,
                 **kwargs: Any) -> None:
        super().__init__(
            depth, strides=tuple(strides), out_indices=range(4),
            frozen_stages=frozen_stages, norm_eval=True,
            norm_cfg=dict(type='BN', requires_grad=False), **kwargs)
        self.pretrained = pretrained

    @property
    def tap_strides(self) -> Tuple[int, ...]:
        """Stride of each of the five outputs."""
        total = [4]
        for stride in self.strides:
            total.append(total[-1] * stride)
        return tuple(total)

    def init_weights(self) -> None:
        """Random initialisation, then ``pretrained`` where given."""
        super().init_weights()
        if self.pretrained is not None:
            load_backbone_weights(self, self.pretrained)

    def forward(self, images: Tensor) -> List[Tensor]:
        """Feature maps of five depths.

        Args:
            images (Tensor): Normalised images, (B, 3, H, W).

        Returns:
            list[Tensor]: Of ``tap_channels`` and ``tap_strides``.
        """
        x = self.maxpool(self.relu(self.norm1(self.conv1(images))))
        outputs = [x]
        for name in self.res_layers:
            x = getattr(self, name)(x)
            outputs.append(x)
        return outputs


@MODELS.register_module()
class ViTTaps(BaseModule):
    """A token ViT tapped at several depths, and fine detail from the pixels.

    A ViT knows nothing finer than its patches. A small trained stem looks at
    the photo itself and adds a map at a quarter of its size, so that
    boundaries can lie between pixels and not between patches.

    Args:
        vit (dict): Config of a :class:`TokenViT`; its ``out_indices`` are the
            taps.
        detail_channels (int): Channels of the stem's map. Defaults to 64.
        input_scale (float): The ViT sees the image enlarged by this, hence
            smaller patches. Defaults to 1.
        frozen (bool): Whether the ViT keeps its weights. Defaults to True.
        init_cfg (dict, optional): See mmengine's ``BaseModule``.
    """

    def __init__(self,
                 vit: dict,
                 detail_channels: int = 64,
                 input_scale: float = 1.,
                 frozen: bool = True,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        self.vit = MODELS.build(vit)
        self.input_scale = input_scale
        self.frozen = frozen
        self.patch = self.vit.patch_embed.projection.stride[0]
        half = detail_channels // 2
        self.detail = nn.Sequential(
            nn.Conv2d(3, half, 3, 2, 1), nn.GroupNorm(4, half), nn.ReLU(),
            nn.Conv2d(half, detail_channels, 3, 2, 1),
            nn.GroupNorm(4, detail_channels), nn.ReLU(),
            nn.Conv2d(detail_channels, detail_channels, 3, padding=1),
            nn.GroupNorm(4, detail_channels), nn.ReLU())
        count = len(self.vit.out_indices)
        self.tap_channels = (detail_channels, *[self.vit.embed_dims] * count)
        self.tap_strides = (4, *[self.patch / input_scale] * count)
        if frozen:
            self.vit.requires_grad_(False)

    def train(self, mode: bool = True) -> 'ViTTaps':
        """Set the mode; a frozen ViT stays in evaluation: no dropout."""
        super().train(mode)
        if self.frozen:
            self.vit.eval()
        return self

    def forward(self, images: Tensor) -> List[Tensor]:
        """Feature maps of several depths.

        Args:
            images (Tensor): Normalised images, (B, 3, H, W).

        Returns:
            list[Tensor]: The stem's map, (B, detail_channels, ceil(H / 4),
            ceil(W / 4)), then the taps of the ViT, (B, D, h, w).
        """
        grid = [max(1, round(side * self.input_scale / self.patch))
                for side in images.shape[-2:]]
        scaled = F.interpolate(
            images, [side * self.patch for side in grid], mode='bilinear',
            align_corners=False)
        with torch.set_grad_enabled(not self.frozen
                                    and torch.is_grad_enabled()):
            taps = self.vit(scaled)
        return [self.detail(images), *taps]
