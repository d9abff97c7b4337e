"""Photometric views of a photo, for contrast."""
from typing import Optional, Tuple

import numpy as np
from mmcv.transforms import BaseTransform
from PIL import Image, ImageFilter
from torchvision import transforms

from mmwsss.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PhotometricView(BaseTransform):
    """Another look at the image as it is at this place of the pipeline.

    Colour jitter (brightness 0.4, contrast 0.4, saturation 0.2, hue 0.1; in
    four of five images), grey (one of five), blur and solarisation, as DINO
    and ToCo have them.

    Required key: ``img``. Added key: the one that ``to`` names, uint8 BGR
    (H, W, 3).

    Args:
        to (str): 'img' changes the image itself; 'second_view' and
            'local_view' are what ``ToCo`` looks for.
        crop_size (int, optional): The view is a random square of 40 to 100
            per cent of the area, resized to this side in pixels and mirrored
            in half of the cases. Defaults to None: the whole image, not
            mirrored, so that places stay comparable.
        blur (float): Probability of a Gaussian blur. Defaults to 0.
        solarize (float): Probability of inverting bright pixels. Defaults to
            0.
    """

    def __init__(self,
                 to: str,
                 crop_size: Optional[int] = None,
                 blur: float = 0.,
                 solarize: float = 0.) -> None:
        steps = []
        if crop_size is not None:
            steps = [
                transforms.RandomResizedCrop(
                    crop_size, scale=(0.4, 1.0), interpolation=transforms
                    .InterpolationMode.BICUBIC),
                transforms.RandomHorizontalFlip()
            ]
        steps += [
            transforms.RandomApply(
                [transforms.ColorJitter(0.4, 0.4, 0.2, 0.1)], p=0.8),
            transforms.RandomGrayscale(0.2),
            transforms.RandomApply([_Blur()], p=blur),
            transforms.RandomSolarize(128, p=solarize)
        ]
        self.to = to
        self.change = transforms.Compose(steps)

    def transform(self, results: dict) -> dict:
        """Add the view."""
        photo = Image.fromarray(np.ascontiguousarray(
            results['img'][..., ::-1]))
        view = np.asarray(self.change(photo))
        results[self.to] = np.ascontiguousarray(view[..., ::-1])
        return results


class _Blur:
    """Gaussian blur with a radius between 0.1 and 2 pixels."""

    radii: Tuple[float, float] = (0.1, 2.0)

    def __call__(self, photo: Image.Image) -> Image.Image:
        radius = np.random.uniform(*self.radii)
        return photo.filter(ImageFilter.GaussianBlur(radius))
