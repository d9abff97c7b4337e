"""Affinity of patches from a decoder's features (WeCLIP, ExCEL)."""
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor

from mmwsss.registry import MODELS


@MODELS.register_module()
class FeatureAffinity(BaseModule):
    """How much the features of two patches agree.

    By default the sigmoid of their product (WeCLIP, section 3.4).

    Args:
        normalize (bool): Whether features have unit length, and the mean of
            all products is taken off (ExCEL, published code). Defaults to
            False.
        gain (float): Factor of the products. Defaults to 1; ExCEL's gamma is
            3.
        across_batch (bool): Whether that mean is one of all images, as in the
            published code, where what comes out for an image depends on its
            companions. Defaults to False: each image has its own.
    """

    def __init__(self, normalize: bool = False, gain: float = 1.,
                 across_batch: bool = False) -> None:
        super().__init__()
        self.normalize = normalize
        self.gain = gain
        self.across_batch = across_batch

    def agreement(self, features: Tensor) -> Tensor:
        """Products of all pairs, before the sigmoid.

        Args:
            features (Tensor): (B, D, h, w).

        Returns:
            Tensor: Symmetric, (B, N, N).
        """
        flat = features.flatten(2)
        if self.normalize:
            flat = F.normalize(flat, dim=1)
        products = flat.transpose(1, 2) @ flat
        if self.normalize:
            mean = products.mean() if self.across_batch else products.mean(
                (1, 2), keepdim=True)
            products = products - mean
        return self.gain * products

    def forward(self, features: Tensor) -> Tensor:
        """Affinity in [0, 1], (B, D, h, w) -> (B, N, N)."""
        return self.agreement(features).sigmoid()

    def attention(self, features: Tensor) -> Tensor:
        """Attention to patches that agree more than the mean (ExCEL's LVC).

        Yang et al., "Exploring CLIP's Dense Knowledge for Weakly Supervised
        Semantic Segmentation", CVPR 2025, section 3.4.

        Args:
            features (Tensor): (B, D, h, w).

        Returns:
            Tensor: Rows sum to 1, (B, N, N).
        """
        agreement = self.agreement(features)
        # Rounding may put all of an image without differences below the mean.
        least = agreement.amax(-1, keepdim=True).clamp(max=0)
        return agreement.masked_fill(agreement < least,
                                     float('-inf')).softmax(-1)
