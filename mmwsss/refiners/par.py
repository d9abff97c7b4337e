"""Pixel-adaptive refinement as a refiner of maps."""
from typing import Optional, Sequence

from torch import Tensor

from mmwsss.ops import pixel_adaptive_refinement
from mmwsss.ops.pixel_adaptive_refinement import POSITION_WEIGHT
from mmwsss.registry import REFINERS

from .base import BaseRefiner


@REFINERS.register_module()
class PAR(BaseRefiner):
    """Maps averaged over neighbours of similar colour.

    Ru et al., "Token Contrast for Weakly-Supervised Semantic Segmentation"
    (ToCo), CVPR 2023; the defaults are its published code's.

    The published weights sum to 1.01; here that growth is divided out, so
    that maps stay in [0, 1].

    Args:
        iterations (int): How often the maps are averaged. Defaults to 10.
        dilations (Sequence[int]): Distances in pixels of the neighbours, eight
            for each distance. Defaults to (1, 2, 4, 8, 12, 24).
        device (str, optional): See :class:`BaseRefiner`.
    """

    def __init__(self,
                 iterations: int = 10,
                 dilations: Sequence[int] = (1, 2, 4, 8, 12, 24),
                 device: Optional[str] = None) -> None:
        super().__init__(device)
        self.iterations = iterations
        self.dilations = dilations

    def refine(self, image: Tensor, maps: Tensor, labels: Tensor) -> Tensor:
        """See :class:`BaseRefiner`; which classes they are does not matter."""
        refined = pixel_adaptive_refinement(
            image.unsqueeze(0) / 255, maps.unsqueeze(0), self.iterations,
            self.dilations)[0]
        return refined / (1 + POSITION_WEIGHT)**self.iterations
