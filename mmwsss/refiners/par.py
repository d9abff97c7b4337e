"""Pixel-adaptive refinement as a refiner of maps."""
from typing import Sequence

from torch import Tensor

from mmwsss.ops import pixel_adaptive_refinement
from mmwsss.ops.pixel_adaptive_refinement import POSITION_WEIGHT
from mmwsss.registry import REFINERS


@REFINERS.register_module()
class PAR:
    """Maps averaged over neighbours of similar colour (ToCo, CVPR 2023).

    The published weights sum to 1.01; here that growth is divided out, so
    that maps stay in [0, 1].

    Args:
        iterations (int): Defaults to 10.
        dilations (Sequence[int]): Defaults to (1, 2, 4, 8, 12, 24).
    """

    def __init__(self,
                 iterations: int = 10,
                 dilations: Sequence[int] = (1, 2, 4, 8, 12, 24)) -> None:
        self.iterations = iterations
        self.dilations = dilations

    def __call__(self, image: Tensor, maps: Tensor,
                 labels: Tensor) -> Tensor:
        """Refine maps (K, H, W) of an image (3, H, W), RGB, uint8."""
        if not len(maps):
            return maps
        refined = pixel_adaptive_refinement(
            image.unsqueeze(0) / 255, maps.unsqueeze(0), self.iterations,
            self.dilations)[0]
        return refined / (1 + POSITION_WEIGHT)**self.iterations
