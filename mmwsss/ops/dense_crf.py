"""Fully connected CRF by mean-field inference."""
from typing import Optional, Sequence

import torch
from torch import Tensor

from .permutohedral import PermutohedralLattice


def dense_crf(image: Tensor,
              unary: Tensor,
              iterations: int = 10,
              gaussian_sxy: float = 3.,
              gaussian_compat: float = 3.,
              bilateral_sxy: float = 80.,
              bilateral_srgb: float = 13.,
              bilateral_compat: float = 10.) -> Tensor:
    """Label probabilities that respect the colours of an image.

    Krähenbühl and Koltun, "Efficient Inference in Fully Connected CRFs with
    Gaussian Edge Potentials", NeurIPS 2011, with a Potts model and symmetric
    normalisation, as ``pydensecrf`` computes it; on the device of ``unary``.
    The defaults are those of the authors' example.

    Args:
        image (Tensor): RGB in 0..255, (3, H, W).
        unary (Tensor): Negative log probabilities, (K, H, W).
        iterations (int): Steps of the mean field. Defaults to 10.
        gaussian_sxy (float): Standard deviation of the smoothing kernel in
            pixels. Defaults to 3.
        gaussian_compat (float): Weight of the smoothing kernel; 0 leaves it
            out. Defaults to 3.
        bilateral_sxy (float): Standard deviation of the appearance kernel in
            pixels. Defaults to 80.
        bilateral_srgb (float): Standard deviation of the appearance kernel
            in colour, of 0..255. Defaults to 13.
        bilateral_compat (float): Weight of the appearance kernel; 0 leaves it
            out. Defaults to 10.

    Returns:
        Tensor: Probabilities, (K, H, W).

    Raises:
        ValueError: If sizes differ.
    """
    if image.shape[1:] != unary.shape[1:]:
        raise ValueError(f'image {tuple(image.shape)} and unary '
                         f'{tuple(unary.shape)} differ in size')
    place = _positions(image.shape[1:], unary.device)  # (N, 2)
    colours = image.to(unary).flatten(1).t()  # (N, 3)
    kernels = []
    if gaussian_compat:
        kernels.append((gaussian_compat, _NormalisedKernel(
            place / gaussian_sxy)))
    if bilateral_compat:
        kernels.append((bilateral_compat, _NormalisedKernel(torch.cat(
            [place / bilateral_sxy, colours / bilateral_srgb], dim=1))))
    energy = unary.flatten(1)  # (K, N)
    labels = (-energy).softmax(0)
    for _ in range(iterations):
        message = -energy
        for compat, kernel in kernels:
            message = message + compat * kernel.filter(labels)
        labels = message.softmax(0)
    return labels.view_as(unary)


def unary_from_probabilities(probabilities: Tensor,
                             floor: float = 1e-5) -> Tensor:
    """Unary energies, -log p, of probabilities.

    Args:
        probabilities (Tensor): In [0, 1], (K, H, W).
        floor (float): Smaller ones count as this, so that no energy is
            infinite. Defaults to 1e-5, as in ``pydensecrf``.

    Returns:
        Tensor: (K, H, W).
    """
    return -probabilities.clamp(floor, 1.).log()


def unary_from_labels(mask: Tensor,
                      num_labels: int,
                      gt_prob: float = 0.7) -> Tensor:
    """Unary energies of a mask whose labels are right with ``gt_prob``.

    Args:
        mask (Tensor): Integers in [0, num_labels), (H, W).
        num_labels (int): K, at least 2.
        gt_prob (float): Probability of the label that the mask names, in
            (0, 1); the others share the rest. Defaults to 0.7, as in IRN.

    Returns:
        Tensor: Energies, -log p, (K, H, W).

    Raises:
        ValueError: If there are fewer labels, or no such probability.
    """
    if num_labels < 2 or not 0 < gt_prob < 1:
        raise ValueError(f'num_labels={num_labels}, gt_prob={gt_prob}: need '
                         'at least 2 labels and a probability inside (0, 1)')
    classes = torch.arange(num_labels, device=mask.device).view(-1, 1, 1)
    named = (mask == classes).float()
    other = (1 - gt_prob) / (num_labels - 1)
    return -(named * gt_prob + (1 - named) * other).log()


class _NormalisedKernel:
    """A lattice filter whose rows sum to about 1, symmetrically."""

    def __init__(self, features: Tensor) -> None:
        self.lattice = PermutohedralLattice(features.unsqueeze(0))
        ones = features.new_ones(1, 1, len(features))  # (B = 1, C = 1, N)
        self.norm = (self.lattice.filter(ones)[0] + 1e-20).rsqrt()  # (1, N)

    def filter(self, labels: Tensor) -> Tensor:
        filtered = self.lattice.filter((labels * self.norm).unsqueeze(0))
        return filtered[0] * self.norm


def _positions(size: Sequence[int],
               device: Optional[torch.device]) -> Tensor:
    """Coordinates (x, y) of all pixels, (N, 2)."""
    y, x = torch.meshgrid(
        *(torch.arange(side, device=device, dtype=torch.float)
          for side in size), indexing='ij')
    return torch.stack([x.flatten(), y.flatten()], dim=1)
