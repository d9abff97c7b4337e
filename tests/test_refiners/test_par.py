"""Pixel-adaptive refinement as a refiner."""
import torch

from mmwsss.ops import pixel_adaptive_refinement
from mmwsss.refiners import PAR


def test_the_growth_of_the_published_weights_is_divided_out(scene):
    image, maps, labels = scene
    refined = PAR(iterations=3, dilations=(1, 2))(image, maps, labels)
    published = pixel_adaptive_refinement(
        image[None] / 255, maps[None], 3, (1, 2))[0]
    torch.testing.assert_close(refined * 1.01**3, published)


def test_a_flat_map_stays(scene):
    image, maps, labels = scene
    flat = torch.full_like(maps, 0.4)
    torch.testing.assert_close(PAR()(image, flat, labels), flat)
