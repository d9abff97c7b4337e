"""One vector a photo from a backbone as it was pre-trained."""
import inspect
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmwsss.models.pretrained import load_backbone_weights, load_vit_weights
from mmwsss.registry import MODELS

from .backbones import TokenViT

_VIT_OPTIONS = {
    name for kind in TokenViT.__mro__ if '__init__' in vars(kind)
    for name in inspect.signature(vars(kind)['__init__']).parameters
    if name not in ('self', 'kwargs')}


class PhotoFeatures(nn.Module):
    """What a backbone, as it was pre-trained, sees in whole photos.

    Of a ViT, whatever class tokens a localizer gives it, these are its own
    class token and the mean of its patch tokens; of another backbone the mean
    of its last feature map.

    Args:
        backbone (dict): Config of the backbone, with ``pretrained``.

    Raises:
        FileNotFoundError: If there are no such weights.
        DataError: If the weights are not those of the backbone.
    """

    def __init__(self, backbone: dict) -> None:
        super().__init__()
        kind = MODELS.get(backbone['type'])
        self.is_vit = kind is not None and issubclass(kind, TokenViT)
        if self.is_vit:
            backbone = dict(_plain_vit(backbone), type='TokenViT')
        self.backbone: Any = MODELS.build(dict(backbone, pretrained=None))
        load = load_vit_weights if self.is_vit else load_backbone_weights
        load(self.backbone, backbone['pretrained'])
        self.eval()

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Features of photos.

        Args:
            images (Tensor): Normalised, (B, 3, H, W), any H and W.

        Returns:
            Tensor: (B, D).
        """
        if not self.is_vit:
            return self.backbone(images)[-1].mean((2, 3))
        patch = self.backbone.tap_strides[-1]
        size = [max(patch, round(side / patch) * patch)
                for side in images.shape[2:]]
        tokens = self.backbone(F.interpolate(
            images, size, mode='bilinear', align_corners=False,
            antialias=True))[-1]  # (B, 1 + N, D)
        return torch.cat([tokens[:, 0], tokens[:, 1:].mean(1)], 1)


def _plain_vit(backbone: dict) -> dict:
    """The options of a ViT with its one class token and its last norm."""
    options = {name: value for name, value in backbone.items()
               if name in _VIT_OPTIONS}
    return dict(options, with_cls_token=True, final_norm=True, out_type='raw',
                out_indices=-1)
