"""Regularised loss: neighbours of one colour should have one label."""
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmwsss.ops import PermutohedralLattice
from mmwsss.registry import MODELS


@MODELS.register_module()
class DenseEnergyLoss(nn.Module):
    """Dense CRF energy of soft predictions, on a smaller image.

    Tang et al., "On Regularized Losses for Weakly-supervised CNN
    Segmentation", ECCV 2018, gated as in ToCo: confident pixels count less,
    unlabelled ones fully. The published loss needs a C++ extension; this is
    plain PyTorch with the same lattice. Like the published one, the gradient
    takes the filtered predictions and the gate as constants, and is twice
    that of the product (the filter is symmetric).

    Args:
        sigma_rgb (float): Standard deviation in colour, of 0..255. Defaults
            to ToCo's 15.
        sigma_xy (float): Standard deviation in pixels of the full image.
            Defaults to ToCo's 100.
        scale (float): Side of the smaller image as a part of the full one.
            Defaults to ToCo's 0.5.
        ignore_index (int): Label of unlabelled pixels. Defaults to 255.
        loss_weight (float): Factor on the loss. Defaults to ToCo's 1e-7.
    """

    def __init__(self,
                 sigma_rgb: float = 15.,
                 sigma_xy: float = 100.,
                 scale: float = 0.5,
                 ignore_index: int = 255,
                 loss_weight: float = 1e-7) -> None:
        super().__init__()
        self.sigma_rgb = sigma_rgb
        self.sigma_xy = sigma_xy
        self.scale = scale
        self.ignore_index = ignore_index
        self.loss_weight = loss_weight

    def forward(self, logits: Tensor, images: Tensor, labels: Tensor,
                inside: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            logits (Tensor): Of background and C classes, (B, 1 + C, H, W).
            images (Tensor): RGB in 0..255, (B, 3, H, W).
            labels (Tensor): Pseudo labels, (B, H, W).
            inside (Tensor): 1 where the crop shows the photo, 0 in the
                padding, (B, H, W).

        Returns:
            Tensor: Scalar loss, at most 0.
        """
        probabilities = self._smaller(logits.softmax(1), 'bilinear')
        images = self._smaller(images, 'nearest')
        inside = self._smaller(inside[:, None].to(logits), 'nearest')
        labels = self._smaller(labels[:, None].to(logits), 'nearest')
        with torch.no_grad():
            gate = inside - probabilities.amax(1, keepdim=True)
            gate[labels == self.ignore_index] = 1
            gate = gate.clamp(min=0)
            lattice = PermutohedralLattice(self._features(images))
            filtered = lattice.filter((probabilities * inside).flatten(2))
            weights = gate * filtered.view_as(probabilities)
        energy = -(probabilities * inside * weights).sum() / len(logits)
        return self.loss_weight * (2 * energy - energy.detach())

    def _smaller(self, maps: Tensor, mode: str) -> Tensor:
        return F.interpolate(maps, scale_factor=self.scale, mode=mode,
                             recompute_scale_factor=True)

    def _features(self, images: Tensor) -> Tensor:
        """Place and colour of each pixel, in deviations, (B, N, 5)."""
        height, width = images.shape[2:]
        y, x = torch.meshgrid(
            torch.arange(height, device=images.device, dtype=images.dtype),
            torch.arange(width, device=images.device, dtype=images.dtype),
            indexing='ij')
        place = torch.stack([x, y]).expand(len(images), -1, -1, -1)
        features = torch.cat([place / (self.sigma_xy * self.scale),
                              images / self.sigma_rgb], dim=1)
        return features.flatten(2).transpose(1, 2)
