"""Where in an image CLIP sees a text: gradients of its last layer."""
from typing import Any, List, Optional, Tuple

import torch
from torch import Tensor

from mmwsss.models.backbones.clip_vit import CLIPFeatures, CLIPViT
from mmwsss.models.backbones.token_vit import MeanAttention, attention_branch
from mmwsss.ops.min_max import min_max
from mmwsss.registry import MODELS

from .text_classes import TextClasses


@MODELS.register_module()
class TextGradCAM(TextClasses):
    """CLIP-ES's and WeCLIP's class activation maps, without any training.

    Lin et al., "CLIP is Also an Efficient Segmenter", CVPR 2023, sections 3.1
    and 3.2. The mean of the final patch tokens is compared with the texts;
    the classes of an image and the background words compete in a softmax.
    The gradient of a class's probability with respect to the normed input of
    the last layer, averaged over the patches, weighs the channels of that
    input.

    Maps are scaled, so the gradient of the probability's logit serves as well:
    it has the same direction, and does not vanish where CLIP is sure.

    Args:
        scale (float): Factor of the cosines before the softmax. Defaults to
            100, which CLIP has learned.
        **kwargs: See :class:`TextClasses`.
    """

    def __init__(self, *args: Any, scale: float = 100.,
                 **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scale = scale

    def encode(self, vit: CLIPViT, images: Tensor,
               attention_layers: int = 0) -> CLIPFeatures:
        """Run all layers but the last, which :meth:`forward` runs.

        Args:
            vit (CLIPViT): The encoder.
            images (Tensor): Normalised images, (B, 3, H, W).
            attention_layers (int): Of how many of the last layers of the
                encoder the attention is kept. Defaults to 0.

        Returns:
            CLIPFeatures: What :meth:`forward` takes.
        """
        return vit.encode(images, len(vit.layers) - 1,
                          max(attention_layers - 1, 0))

    @torch.no_grad()
    def classify(self, vit: CLIPViT, features: CLIPFeatures) -> Tensor:
        """Probabilities among all classes and background words, (B, C)."""
        tokens = features.tokens[-1].to(vit.proj.dtype)
        pooled = vit.project(vit.layers[-1](tokens))[:, 1:].mean(1)
        return self.probabilities(pooled, self.scale)

    def forward(self, vit: CLIPViT, features: CLIPFeatures,
                onehot: Optional[Tensor] = None
                ) -> Tuple[Tensor, List[Tensor]]:
        """Maps, and the attention of the layers up to the last.

        One pass through the layer and one vectorized gradient, however many
        classes the images have.

        Args:
            vit (CLIPViT): The encoder.
            features (CLIPFeatures): From :meth:`encode`.
            onehot (Tensor, optional): Image-level labels, (B, C). Defaults to
                None: all classes, which takes C gradients.

        Returns:
            tuple[Tensor, list[Tensor]]: Maps in [0, 1], (B, C, h, w), 0 for
            classes that an image lacks; and the attention, (B, N, N) each.
        """
        layer, recorder = vit.layers[-1], MeanAttention()
        tokens = features.tokens[-1].to(vit.proj.dtype)
        wanted = onehot if onehot is not None else tokens.new_ones(
            len(tokens), self.num_classes)
        most = max(int((wanted > 0).sum(1).max()), 1)
        present, classes = wanted.topk(most, dim=1)  # (B, K)
        with torch.enable_grad():
            normed = layer.ln1(tokens).detach().requires_grad_()
            middle = tokens + attention_branch(layer, normed, recorder)
            last = layer.ffn(layer.ln2(middle), identity=middle)
            pooled = vit.project(last)[:, 1:].mean(1)
            shown = self.log_odds(pooled, self.scale, classes, onehot)
            chosen = shown.masked_fill(present <= 0, 0).sum(0)  # (K, )
            # A sum over images: no image has a gradient of another.
            gradient, = torch.autograd.grad(
                chosen, normed, torch.eye(most).to(chosen),
                is_grads_batched=True)  # (K, B, L, D)
        attention = recorder.mean.detach()[:, 1:, 1:].float()
        patches = normed.detach()[:, 1:].float()
        weights = gradient[:, :, 1:].float().mean(2)  # (K, B, D)
        maps = torch.einsum('kbd,bnd->bkn', weights, patches).relu()
        maps = min_max(maps.unflatten(2, features.grid))
        index = classes[..., None, None].expand_as(maps)
        maps = maps.new_zeros(len(maps), self.num_classes,
                              *features.grid).scatter_(
            1, index, maps * (present > 0)[..., None, None])
        return maps, [*features.attention, attention]

    def levels(self, features: CLIPFeatures) -> List[Tensor]:
        """Tokens for a decoder: after each layer that has run (WeCLIP)."""
        return features.tokens[1:]
