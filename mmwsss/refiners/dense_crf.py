"""Dense CRF as a refiner of maps."""
from importlib.util import find_spec
from inspect import signature
from typing import Any, Callable, Dict, Optional

import torch
from torch import Tensor

from mmwsss.ops import dense_crf, unary_from_labels, unary_from_probabilities
from mmwsss.registry import REFINERS

from .base import BaseRefiner

BACKENDS = ('auto', 'torch', 'pydensecrf')
UNARIES = ('probabilities', 'labels')


@REFINERS.register_module()
class DenseCRF(BaseRefiner):
    """Maps that keep to the colours of the photo.

    Krähenbühl, Koltun: "Efficient Inference in Fully Connected CRFs with
    Gaussian Edge Potentials", NIPS 2011.

    Only the image's own classes and background compete. The refined map of a
    class is its share against background, ``p / (p + p_background)``: above
    0.5 where the class wins.

    Args:
        background (float): Score of background before refinement, on the
            scale of the maps; the threshold at which the maps alone are best
            suits. Defaults to 0.4.
        alpha (float, optional): Background is ``(1 - strongest map) **
            alpha`` instead, as in PSA. Defaults to None.
        unary (str): 'probabilities': scores divided by their sum; 'labels':
            only which class wins counts. Defaults to 'probabilities'.
        gt_prob (float): With 'labels': how probable it is that the class that
            wins at a pixel is right, between 0 and 1. Defaults to 0.7, the
            value of IRN's published code.
        backend (str): 'torch' or 'pydensecrf' (C++, CPU), which agree; 'auto'
            is pydensecrf, the faster one, on the CPU where it is installed.
            Defaults to 'auto'.
        iterations (int): Of the mean field. Defaults to 10.
        gaussian_sxy (float): Standard deviation of the smoothing kernel, in
            pixels. Defaults to 3.
        gaussian_compat (float): Weight of the smoothing kernel. Defaults to 3.
        bilateral_sxy (float): Standard deviation of the appearance kernel, in
            pixels. Defaults to 80; the field uses 50 with 'labels'.
        bilateral_srgb (float): Standard deviation of the appearance kernel,
            in steps of colour, 0..255. Defaults to 13; the field uses 5 with
            'labels'.
        bilateral_compat (float): Weight of the appearance kernel. Defaults to
            10.
        device (str, optional): See :class:`BaseRefiner`; on a GPU the backend
            is PyTorch.

    Example:
        >>> image = torch.zeros(3, 8, 9, dtype=torch.uint8)
        >>> DenseCRF()(image, torch.rand(2, 8, 9), torch.tensor([3, 7])).shape
        torch.Size([2, 8, 9])
    """

    def __init__(self,
                 background: float = 0.4,
                 alpha: Optional[float] = None,
                 unary: str = 'probabilities',
                 gt_prob: float = 0.7,
                 backend: str = 'auto',
                 iterations: int = 10,
                 gaussian_sxy: float = 3.,
                 gaussian_compat: float = 3.,
                 bilateral_sxy: float = 80.,
                 bilateral_srgb: float = 13.,
                 bilateral_compat: float = 10.,
                 device: Optional[str] = None) -> None:
        super().__init__(device)
        if unary not in UNARIES:
            raise ValueError(f'DenseCRF.unary={unary!r}: use one of '
                             f'{UNARIES}')
        if not 0 < background < 1:
            raise ValueError(f'DenseCRF.background={background}: give a '
                             'number between 0 and 1')
        if backend == 'pydensecrf' and device is not None:
            raise ValueError(f"DenseCRF.backend='pydensecrf' works on CPUs, "
                             f"not on device={device!r}; use backend='torch'")
        self.background = background
        self.alpha = alpha
        self.unary = unary
        self.gt_prob = gt_prob
        self.backend = backend
        self._infer = crf_backend(backend)
        self.options = dict(
            iterations=iterations,
            gaussian_sxy=gaussian_sxy,
            gaussian_compat=gaussian_compat,
            bilateral_sxy=bilateral_sxy,
            bilateral_srgb=bilateral_srgb,
            bilateral_compat=bilateral_compat)

    def refine(self, image: Tensor, maps: Tensor, labels: Tensor) -> Tensor:
        """See :class:`BaseRefiner`; which classes they are does not matter."""
        if self.alpha is None:
            background = torch.full_like(maps[:1], self.background)
        else:
            background = (1 - maps.amax(0, keepdim=True))**self.alpha
        scores = torch.cat([background, maps])  # (1 + K, H, W)
        if self.unary == 'labels':
            unary = unary_from_labels(scores.argmax(0), len(scores),
                                      self.gt_prob)
        else:
            unary = unary_from_probabilities(scores / scores.sum(0))
        refined = self._infer(image, unary, **self.options)
        return refined[1:] / (refined[1:] + refined[:1]).clamp(min=1e-12)


def crf_backend(name: str) -> Callable[..., Tensor]:
    """The function that infers, see :class:`DenseCRF`.

    Raises:
        ValueError: If the name is none of ``BACKENDS``.
        ImportError: If the library is not installed.
    """
    if name not in BACKENDS:
        raise ValueError(f'DenseCRF.backend={name!r}: use one of {BACKENDS}')
    if name == 'pydensecrf' and not find_spec('pydensecrf'):
        raise ImportError("DenseCRF.backend='pydensecrf' needs that library: "
                          "pip install pydensecrf2, or use backend='torch'")
    backends: Dict[str, Callable[..., Tensor]] = dict(
        auto=_fastest, torch=dense_crf, pydensecrf=_pydensecrf)
    return backends[name]


def _fastest(image: Tensor, unary: Tensor, **options: Any) -> Tensor:
    """The C++ library where it can work, else PyTorch."""
    compiled = unary.device.type == 'cpu' and find_spec('pydensecrf')
    infer: Callable[..., Tensor] = _pydensecrf if compiled else dense_crf
    return infer(image, unary, **options)


def _pydensecrf(image: Tensor, unary: Tensor, **options: Any) -> Tensor:
    """:func:`mmwsss.ops.dense_crf` by the C++ library."""
    import numpy as np
    from pydensecrf.densecrf import DenseCRF2D
    call = signature(dense_crf).bind(image, unary, **options)
    call.apply_defaults()
    given = call.arguments
    num_labels, height, width = unary.shape
    crf = DenseCRF2D(width, height, num_labels)
    crf.setUnaryEnergy(np.ascontiguousarray(unary.flatten(1).numpy()))
    if given['gaussian_compat']:
        crf.addPairwiseGaussian(sxy=given['gaussian_sxy'],
                                compat=given['gaussian_compat'])
    if given['bilateral_compat']:
        photo = np.ascontiguousarray(image.permute(1, 2, 0).numpy())
        crf.addPairwiseBilateral(
            sxy=given['bilateral_sxy'], srgb=given['bilateral_srgb'],
            rgbim=photo, compat=given['bilateral_compat'])
    result = np.array(crf.inference(given['iterations']), dtype=np.float32)
    return torch.from_numpy(result).view_as(unary)
