"""Patch tokens alike within a class, unlike across classes (ToCo's PTC)."""
from typing import Callable, Dict, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmwsss.registry import MODELS

SIMILARITIES: Dict[str, Callable[[Tensor], Tensor]] = dict(
    abs=torch.abs, relu=torch.relu, cos=lambda cosine: cosine)


@MODELS.register_module()
class PatchTokenContrast(nn.Module):
    """Patch-token contrast against over-smoothing.

    Without it the tokens of a deep ViT become alike all over the image. It
    takes the pairs of patches with reliable labels, see :func:`contrast`.

    Source: ToCo (CVPR 2023), equation 3; similarity: supplement, Table 1.

    Args:
        similarity (str): What is taken of the cosine of two tokens: 'abs',
            'relu', or 'cos' as it is. Defaults to 'abs'.
        ignore_index (int): Label of unreliable patches. Defaults to 255.
        loss_weight (float): Factor on the loss. Defaults to 1.
    """

    def __init__(self,
                 similarity: str = 'abs',
                 ignore_index: int = 255,
                 loss_weight: float = 1.) -> None:
        super().__init__()
        if similarity not in SIMILARITIES:
            raise ValueError(f'similarity={similarity!r}: use one of '
                             f'{tuple(SIMILARITIES)}')
        self.similarity = SIMILARITIES[similarity]
        self.ignore_index = ignore_index
        self.loss_weight = loss_weight

    def forward(self, tokens: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            tokens (Tensor): Final patch tokens as a map, (B, D, h, w).
            labels (Tensor): Labels of the patches, (B, h, w).

        Returns:
            Tensor: Scalar loss; 0.5 if no pair is reliable.
        """
        unit = F.normalize(tokens.flatten(2), dim=1, eps=1e-8)  # (B, D, N)
        similarity = self.similarity(unit.transpose(1, 2) @ unit)  # (B, N, N)
        return self.loss_weight * contrast(similarity, *self.pairs(labels))

    def pairs(self, labels: Tensor) -> Tuple[Tensor, Tensor]:
        """Those :func:`known_pairs` that are two different patches.

        Args:
            labels (Tensor): Labels of the patches, (B, h, w).

        Returns:
            tuple[Tensor, Tensor]: Pairs of one label and of two, boolean,
            (B, N, N) each.
        """
        same, other = known_pairs(labels, self.ignore_index)
        same.diagonal(dim1=1, dim2=2).fill_(False)
        return same, other


def contrast(similarity: Tensor, same: Tensor, other: Tensor) -> Tensor:
    """Pairs of one label alike, pairs of two labels unlike.

    ``1 - mean similarity`` of the former plus the mean similarity of the
    latter, halved. Both means run over the pairs of the whole batch and count
    one pair more than there are, as published, so that a batch without pairs
    stays finite.

    Args:
        similarity (Tensor): Of all pairs of patches, (B, N, N).
        same (Tensor): Which pairs have one label, boolean, (B, N, N).
        other (Tensor): Which pairs have two labels, boolean, (B, N, N).

    Returns:
        Tensor: Scalar; 0.5 if there is no pair.
    """
    positive = 1 - (similarity * same).sum() / (same.sum() + 1)
    negative = (similarity * other).sum() / (other.sum() + 1)
    return (positive + negative) / 2


def known_pairs(labels: Tensor, ignore_index: int) -> Tuple[Tensor, Tensor]:
    """Pairs of patches of one label, and of two.

    Args:
        labels (Tensor): Labels of the N = h x w patches, (B, h, w).
        ignore_index (int): Label of patches that are in no pair.

    Returns:
        tuple[Tensor, Tensor]: Boolean, (B, N, N) each. A patch and itself are
        a pair of one label.
    """
    flat = labels.flatten(1)
    known = flat != ignore_index
    known = known.unsqueeze(1) & known.unsqueeze(2)
    equal = flat.unsqueeze(1) == flat.unsqueeze(2)
    return known & equal, known & ~equal
