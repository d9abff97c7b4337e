"""Each class token should be most similar to itself."""
from typing import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmwsss.registry import MODELS


@MODELS.register_module()
class ClassTokenContrast(nn.Module):
    """Contrast between the class tokens of one image, over all layers.

    The cosine similarities of the C tokens form a C x C matrix; each present
    class pays the cross-entropy of its row against the diagonal. The loss is
    averaged over the layers, the present classes and the images.

    Source: MCTformer+ (class-aware training with contrastive class tokens),
    applied by MMCT to both modalities.

    Args:
        loss_weight (float): Factor on the loss. Defaults to 1.
        temperature (float): Divides the cosines. Defaults to 1, as published.
    """

    def __init__(self, loss_weight: float = 1.,
                 temperature: float = 1.) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.temperature = temperature

    def forward(self, class_tokens: Sequence[Tensor],
                labels: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            class_tokens (Sequence[Tensor]): One (B, C, D) tensor a layer.
            labels (Tensor): Multi-hot labels, (B, C).

        Returns:
            Tensor: Scalar loss.
        """
        tokens = F.normalize(torch.stack(tuple(class_tokens)), dim=-1)
        cosine = tokens @ tokens.transpose(-2, -1)  # (layers, B, C, C)
        log_prob = F.log_softmax(cosine / self.temperature, dim=-1)
        per_class = -log_prob.diagonal(dim1=-2, dim2=-1).mean(0)  # (B, C)
        present = (labels > 0).to(per_class.dtype)
        per_image = (per_class * present).sum(1) / (present.sum(1) + 1e-8)
        return self.loss_weight * per_image.mean()
