"""AdvCAM: the photo climbs towards a class before its maps are read."""
from typing import Any, Dict, List, Optional, Tuple

import torch
from mmseg.structures import SegDataSample
from torch import Tensor

from mmwsss.registry import MODELS

from .base import stack_labels
from .cam import CAMLocalizer

# The numbers of Lee et al.; docs/comparison.md says which were checked.
_DEFAULTS = dict(climb_steps=27, climb_size=0.008, restraint=7.,
                 restraint_threshold=0.5)


@MODELS.register_module()
class AdvCAM(CAMLocalizer):
    """A trained CAM whose maps are summed while the class score climbs.

    Lee, Kim, Yoon: "Anti-Adversarially Manipulated Attributions for Weakly
    and Semi-Supervised Semantic Segmentation", CVPR 2021. For every class
    that an image's labels name, the image takes small steps along the
    gradient of

        y_c - sum_{k != c} y_k - restraint * || M * |A(x_t) - A(x_0)| ||_1

    where y are the logits, A the map of the class, and M marks where the map,
    divided by its largest value, is above a threshold: what is lit already
    shall not grow. The maps of all steps, the first one included, are summed.
    Nothing is trained: the weights are those of a :class:`CAMLocalizer`.

    Args:
        *args: See :class:`CAMLocalizer`.
        **kwargs: See :class:`CAMLocalizer`. ``test_cfg`` has, besides,

            - ``climb_steps`` (int): T, steps for each class and view of an
              image; 0 is CAM. Defaults to 27.
            - ``climb_size`` (float): xi, the largest change of a pixel in a
              step, in units of the normalised image. Defaults to 0.008.
            - ``restraint`` (float): lambda. Defaults to 7.
            - ``restraint_threshold`` (float): tau. Defaults to 0.5.

    Raises:
        ValueError: If the number of steps is negative.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.climb: Dict[str, Any] = {key: self.test_cfg.get(key, value)
                      for key, value in _DEFAULTS.items()}
        if self.climb['climb_steps'] < 0:
            raise ValueError('test_cfg.climb_steps='
                             f'{self.climb["climb_steps"]}: give 0 or more')

    def logits_and_maps(self, inputs: Tensor,
                        data_samples: Optional[List[SegDataSample]] = None
                        ) -> Tuple[Tensor, Tensor]:
        """Logits of the images as they are, and summed maps (B, C, h, w).

        Args:
            inputs (Tensor): Normalised images, (B, 3, H, W).
            data_samples (list[SegDataSample], optional): With ``gt_label``;
                maps of classes that an image does not have are 0. Without
                samples the maps are those of a CAM.
        """
        logits, maps = super().logits_and_maps(inputs)
        if data_samples is None:
            return logits, maps
        owner, classes = (stack_labels(data_samples) > 0).nonzero(
            as_tuple=True)  # (M,) each
        total = torch.zeros_like(maps, dtype=torch.float32)
        total[owner, classes] = self._climb(inputs[owner], classes)
        return logits, total

    def _climb(self, images: Tensor, classes: Tensor) -> Tensor:
        """Sum of the maps of all steps.

        Args:
            images (Tensor): One for each pair of image and class, (M, 3, H,
                W).
            classes (Tensor): The class of each pair, (M,).

        Returns:
            Tensor: (M, h, w).
        """
        passed: List[Tensor] = []
        # What a photo can look like.
        low = images.amin((1, 2, 3), keepdim=True)
        high = images.amax((1, 2, 3), keepdim=True)
        for _ in range(self.climb['climb_steps'] if len(images) else 0):
            with torch.enable_grad():
                images = images.detach().requires_grad_()
                score, maps = self.objective(images, classes,
                                             passed[0] if passed else None)
                # A sum over pairs that have nothing in common; nothing is
                # left on the weights.
                [slope] = torch.autograd.grad(score.sum(), images)
            passed.append(maps.detach().float())
            largest = slope.abs().amax((1, 2, 3), keepdim=True)
            images = images.detach() + (
                self.climb['climb_size'] * slope / largest.clamp(min=1e-12))
            images = images.clamp(low, high)
        passed.append(self._maps_of(images, classes)[1].float())
        return torch.stack(passed).sum(0)

    def objective(self, images: Tensor, classes: Tensor,
                  start: Optional[Tensor]) -> Tuple[Tensor, Tensor]:
        """What climbs.

        Args:
            images (Tensor): (M, 3, H, W).
            classes (Tensor): The class of each, (M,).
            start (Tensor, optional): The maps before the first step, (M, h,
                w); None: this is the first step.

        Returns:
            tuple[Tensor, Tensor]: The objective, (M,), and the maps, (M, h,
            w).
        """
        logits, maps = self._maps_of(images, classes)
        if start is None:
            # Maps of another pass differ by rounding, and the slope of
            # |A - A_0| would be the sign of that.
            start = maps.detach()
        own = logits.gather(1, classes[:, None]).squeeze(1)
        peak = maps.detach().amax((1, 2), keepdim=True).clamp(min=1e-12)
        lit = maps.detach() / peak > self.climb['restraint_threshold']
        change = (lit * (maps - start).abs()).sum((1, 2))
        return 2 * own - logits.sum(1) - self.climb['restraint'] * change, maps

    def _maps_of(self, images: Tensor, classes: Tensor
                 ) -> Tuple[Tensor, Tensor]:
        """Logits (M, C), and the map of one class each (M, h, w)."""
        logits, maps = super().logits_and_maps(images)
        return logits, maps[torch.arange(len(classes)), classes]
