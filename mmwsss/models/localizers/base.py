"""What every localizer shares: classify, localize, multi-scale and flip."""
from abc import abstractmethod
from typing import Callable, Dict, List, Optional, Sequence, Tuple, Union

import torch
import torch.nn.functional as F
from mmengine.model import BaseModel
from mmengine.structures import LabelData, PixelData
from mmseg.structures import SegDataSample
from torch import Tensor

from mmwsss.ops import min_max


class BaseLocalizer(BaseModel):
    """A classifier whose class evidence has a place in the image.

    A method implements :meth:`loss`, :meth:`classify` and
    :meth:`logits_and_maps`, and has a ``backbone`` with ``tap_strides``.
    Labels ride on the samples as ``gt_label.label_onehot``, a float tensor of
    shape (C,).

    Args:
        data_preprocessor (dict): Config of the data preprocessor.
        test_cfg (dict, optional): With the keys

            - ``scales`` (sequence of float): Input scales, summed. Defaults
              to (1.0, ).
            - ``flip`` (bool): Also add the flipped image. Defaults to True.
            - whatever ``logits_and_maps`` of the method reads.
        init_cfg (dict, optional): See mmengine's ``BaseModule``.
    """

    def __init__(self,
                 data_preprocessor: dict,
                 test_cfg: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.test_cfg = dict(test_cfg or {})
        if not self.scales or min(self.scales) <= 0:
            raise ValueError(f'test_cfg.scales={self.scales}: give one or '
                             'more positive numbers')

    @property
    def scales(self) -> Sequence[float]:
        """Input scales for localization."""
        return self.test_cfg.get('scales', (1.0, ))

    @property
    def patch_size(self) -> int:
        """Pixels of the image per value of a map.

        Inputs for localization are resized to multiples of this.
        """
        return self.backbone.tap_strides[-1]

    @abstractmethod
    def loss(self, inputs: Tensor,
             data_samples: List[SegDataSample]) -> Dict[str, Tensor]:
        """Losses of a batch, from image-level labels only."""

    @abstractmethod
    def classify(self, inputs: Tensor,
                 data_samples: List[SegDataSample]) -> Tensor:
        """Class logits of shape (B, C)."""

    @abstractmethod
    def logits_and_maps(self, inputs: Tensor,
                        data_samples: Optional[List[SegDataSample]]
                        ) -> Tuple[Tensor, Tensor]:
        """Class logits (B, C) and non-negative class maps (B, C, h, w)."""

    def class_maps(self, inputs: Tensor,
                   data_samples: Optional[List[SegDataSample]] = None
                   ) -> Tensor:
        """Non-negative class maps of one scale, (B, C, h, w)."""
        return self.logits_and_maps(inputs, data_samples)[1]

    def forward(self,
                inputs: Tensor,
                data_samples: Optional[List[SegDataSample]] = None,
                mode: str = 'tensor'
                ) -> Union[Dict[str, Tensor], List[SegDataSample], Tensor]:
        """Mmengine's interface.

        Args:
            inputs (Tensor): Normalised images, (B, 3, H, W).
            data_samples (list[SegDataSample], optional): Of the images.
            mode (str): 'loss', 'predict' (:meth:`predict`), 'localize'
                (:meth:`predict_maps`) or 'tensor' (:meth:`classify`).

        Raises:
            ValueError: For another mode.
        """
        methods: Dict[str, Callable] = dict(
            loss=self.loss, predict=self.predict,
            localize=self.predict_maps, tensor=self.classify)
        if mode not in methods:
            raise ValueError(f'mode {mode!r}: use one of {tuple(methods)}')
        return methods[mode](inputs, data_samples)

    def predict(self, inputs: Tensor,
                data_samples: List[SegDataSample]) -> List[SegDataSample]:
        """Fill ``pred_label`` (scores), all that the validation mAP needs."""
        return _with_scores(self.classify(inputs, data_samples), data_samples)

    def predict_maps(self, inputs: Tensor, data_samples: List[SegDataSample]
                     ) -> List[SegDataSample]:
        """Fill ``pred_maps`` and ``pred_label``.

        Args:
            inputs (Tensor): Normalised images, (B, 3, H, W).
            data_samples (list[SegDataSample]): With ``gt_label``.

        Returns:
            list[SegDataSample]: The samples with ``pred_maps``, ``PixelData``
            with ``data`` (K, H, W) from :meth:`localize` and metainfo
            ``labels``, the K 0-based classes; and with ``pred_label``, the
            scores, from the same passes where these have them.
        """
        logits, all_maps = self._localize(inputs, data_samples)
        for sample, maps in zip(data_samples, all_maps):
            labels = sample.gt_label.label_onehot.nonzero().flatten()
            sample.set_field(PixelData(metainfo=dict(labels=labels.tolist()),
                                       data=maps), 'pred_maps')
        if logits is None:
            logits = self.classify(inputs, data_samples)
        return _with_scores(logits, data_samples)

    def localize(self, inputs: Tensor,
                 data_samples: List[SegDataSample]) -> List[Tensor]:
        """Class maps of the classes that each image's labels name.

        Args:
            inputs (Tensor): Normalised images, (B, 3, H, W).
            data_samples (list[SegDataSample]): With ``gt_label``.

        Returns:
            list[Tensor]: For each image the maps of its K classes in rising
            order, (K, H, W), in [0, 1].
        """
        return self._localize(inputs, data_samples)[1]

    @torch.no_grad()
    def _localize(self, inputs: Tensor, data_samples: List[SegDataSample]
                  ) -> Tuple[Optional[Tensor], List[Tensor]]:
        """Maps as :meth:`localize`, and logits where they come for free.

        The view of scale 1 has them; a further pass would cost as much as
        the view. Without such a view, or without any label, they are None.
        """
        labels = stack_labels(data_samples) > 0  # (B, C)
        owner, classes = labels.nonzero(as_tuple=True)  # (M,) each
        size: Tuple[int, int] = (inputs.shape[-2], inputs.shape[-1])
        total = inputs.new_zeros((len(owner), *size))
        logits = None
        for scale in self.scales if len(owner) else ():
            scaled = F.interpolate(
                inputs, self._grid_size(size, scale), mode='bilinear',
                align_corners=False, antialias=True)
            found, maps = self.logits_and_maps(scaled, data_samples)
            if scale == 1:
                logits = found
            if self.test_cfg.get('flip', True):
                mirrored = self.class_maps(scaled.flip(-1), data_samples)
                maps = maps + mirrored.flip(-1)
            maps = maps[owner, classes].unsqueeze(1).float()  # (M, 1, h, w)
            total += F.interpolate(maps, size, mode='bilinear',
                                   align_corners=False).squeeze(1)
        return logits, list(
            min_max(total).split(labels.sum(1).tolist()))

    def _grid_size(self, size: Tuple[int, int],
                   scale: float) -> Tuple[int, int]:
        patch = self.patch_size
        height, width = (max(patch, round(side * scale / patch) * patch)
                         for side in size)
        return height, width


def _with_scores(logits: Tensor, data_samples: List[SegDataSample]
                 ) -> List[SegDataSample]:
    for sample, score in zip(data_samples, logits.sigmoid()):
        sample.set_field(LabelData(score=score), 'pred_label')
    return data_samples


def stack_labels(data_samples: List[SegDataSample]) -> Tensor:
    """Image-level labels of a batch, (B, C)."""
    return torch.stack([s.gt_label.label_onehot for s in data_samples])
