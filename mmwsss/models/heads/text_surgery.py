"""Where in an image CLIP sees a text, without gradients (ExCEL)."""
from dataclasses import dataclass
from typing import Any, List, Optional, Tuple

import torch
from torch import Tensor

from mmwsss.models.backbones.clip_vit import CLIPFeatures, CLIPViT
from mmwsss.models.backbones.token_vit import attention_branch, head_weights
from mmwsss.ops.feature_surgery import feature_surgery
from mmwsss.ops.min_max import min_max
from mmwsss.registry import MODELS

from .text_classes import TextClasses


@dataclass
class SurgeryFeatures(CLIPFeatures):
    """:class:`CLIPFeatures`, and the tokens of the second path.

    Attributes:
        calibrated (Tensor): Class token of the network's path, patches of the
            second path, (B, 1 + N, D).
    """
    calibrated: Tensor


@MODELS.register_module()
class TextSurgery(TextClasses):
    """ExCEL's maps: the last layers attend to what is alike.

    Yang et al., "Exploring CLIP's Dense Knowledge for Weakly Supervised
    Semantic Segmentation", CVPR 2025, section 3.3 (static visual
    calibration). Beside the network's own path a second one leaves it: its
    queries meet queries, its keys keys and its values values, their mean is
    the attention, and there is no MLP. The patches of the second path are
    compared with the texts by :func:`mmwsss.ops.feature_surgery`.

    Args:
        num_layers (int): Layers of the second path. Defaults to 5 (published
            code).
        **kwargs: See :class:`TextClasses`.
    """
    def __init__(self, *args: Any, num_layers: int = 5,
                 **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.num_layers = num_layers

    def encode(self, vit: CLIPViT, images: Tensor,
               attention_layers: int = 0) -> SurgeryFeatures:
        """Run all layers.

        Args:
            vit (CLIPViT): The encoder.
            images (Tensor): Normalised images, (B, 3, H, W).
            attention_layers (int): Of how many of the last layers the
                attention is kept; as published, that of the layers with a
                second path is the sum over the heads. Defaults to 0.

        Returns:
            SurgeryFeatures: What :meth:`forward` takes.
        """
        features = vit.encode(images, None, attention_layers,
                              self.num_layers)
        for attention in features.attention[-self.num_layers:]:
            attention *= vit.layers[-1].attn.num_heads
        return SurgeryFeatures(**vars(features),
                               calibrated=self.calibrated(vit, features))

    @torch.no_grad()
    def classify(self, vit: CLIPViT, features: CLIPFeatures) -> Tensor:
        """Probabilities among all classes and background words, (B, C)."""
        class_token = vit.project(features.tokens[-1][:, 0])
        return self.probabilities(class_token, 100.)

    @torch.no_grad()
    def forward(self, vit: CLIPViT, features: SurgeryFeatures,
                onehot: Optional[Tensor] = None,
                prior: Optional[Tensor] = None
                ) -> Tuple[Tensor, List[Tensor]]:
        """Maps, and the attention that was kept.

        Args:
            vit (CLIPViT): The encoder.
            features (SurgeryFeatures): From :meth:`encode`.
            onehot (Tensor, optional): Not needed: all maps come at once.
            prior (Tensor, optional): Attention that is added between the
                patches in every head, (B, N, N). Defaults to None.

        Returns:
            tuple[Tensor, list[Tensor]]: Maps, in [0, 1] over patches and
            class token, (B, C, h, w); and the attention, (B, N, N) each.
        """
        del onehot
        tokens = features.calibrated
        if prior is not None:
            tokens = self.calibrated(vit, features, prior)
        evidence = min_max(self.evidence(vit, tokens).transpose(1, 2)[
            ..., None, :])[..., 0, 1:]  # (B, T, N)
        maps = evidence[:, :self.num_classes].unflatten(2, features.grid)
        return maps, features.attention

    def levels(self, features: SurgeryFeatures) -> List[Tensor]:
        """Tokens for a decoder, as ExCEL's published code hands them out.

        After each layer but the one that the second path starts from; for
        that one the path's end; then halfway through each layer of the path
        but the first, and the network's end. (There, sums that are computed
        in place reach into what was stored before; the published weights have
        learned from that.)
        """
        start = len(features.tokens) - 1 - self.num_layers
        return [*features.tokens[1:start], features.calibrated,
                *features.halfway[1:], features.tokens[-1]]

    def evidence(self, vit: CLIPViT, tokens: Tensor) -> Tensor:
        """For each text, of class token and patches, (B, 1 + N, T)."""
        projected = vit.project(tokens)
        # As published, the length is taken over the tokens, not the channels.
        projected = projected / projected.norm(dim=1, keepdim=True)
        return feature_surgery(projected, self.text)

    def calibrated(self, vit: CLIPViT, features: CLIPFeatures,
                   prior: Optional[Tensor] = None) -> Tensor:
        """Class token of the network's path, patches of the second path.

        Args:
            vit (CLIPViT): The encoder.
            features (CLIPFeatures): Of all its layers.
            prior (Tensor, optional): See :meth:`forward`.

        Returns:
            Tensor: (B, 1 + N, D).
        """
        def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
            total = (head_weights(query, query) + head_weights(key, key) +
                     head_weights(value, value)) / 3
            if prior is not None:
                total[..., 1:, 1:] += prior[:, None].to(total)
            # As published, every head uses the sum of all heads' attention.
            return total.sum(1, keepdim=True) @ value

        start = len(vit.layers) - self.num_layers
        second = features.tokens[start].to(vit.proj.dtype)
        for index in range(start, len(vit.layers)):
            layer = vit.layers[index]
            own = features.tokens[index].to(vit.proj.dtype)
            second = second + attention_branch(layer, layer.ln1(own), attend)
        return torch.cat([features.tokens[-1][:, :1],
                          second[:, 1:].float()], dim=1)
