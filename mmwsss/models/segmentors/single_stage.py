"""What single-stage methods share: maps and a decoder trained together."""
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence, Tuple

import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.models.segmentors import BaseSegmentor
from mmseg.structures import SegDataSample
from torch import Tensor

from mmwsss.models.localizers.base import BaseLocalizer, stack_labels
from mmwsss.ops.cam_labels import cam_labels, refined_labels
from mmwsss.registry import MODELS


@dataclass
class TrainingBatch:
    """What the losses of one step are computed from.

    Attributes:
        inputs (Tensor): Normalised images, (B, 3, H, W).
        data_samples (list[SegDataSample]): Their samples.
        labels (Tensor): Image-level labels, (B, C).
        inside (Tensor): False where an image was padded, (B, H, W).
        encoded: What :meth:`SingleStage.encode_image` has made of the images.
        maps (tuple[Tensor, ...]): From :meth:`SingleStage.multi_scale_maps`,
            (B, C, H, W) each.
    """
    inputs: Tensor
    data_samples: List[SegDataSample]
    labels: Tensor
    inside: Tensor
    encoded: Any
    maps: Tuple[Tensor, ...]


class SingleStage(BaseLocalizer):
    """A localizer with a decoder that learns from its maps.

    It is a :class:`BaseLocalizer` by its maps, and by its decoder a segmentor
    with what mmseg's test-time augmentation asks for. In a training step the
    encoder sees the images, maps of several scales become pseudo labels, and
    the decoder learns these.

    The skeleton never looks into what :meth:`encode` returns. A method says

    - what an encoder makes of images, and the logits and raw maps of it:
      :meth:`encode` (by default the backbone's feature maps),
      :meth:`class_logits` and :meth:`responses`;
    - which kinds of maps it has: ``map_fields``, and :meth:`every_map` where
      some are not from several scales;
    - what its losses are: ``default_loss_weights``, :meth:`encoder_losses`
      (by default none, as for a frozen encoder) and :meth:`pixel_losses`;
    - what the decoder sees and learns, where it is not the last feature map
      and the first kind of maps refined by the colours:
      :meth:`decoder_inputs`, :meth:`seed_maps`, :meth:`pseudo_labels`.

    Args:
        backbone (dict): Config of the encoder, with ``tap_channels`` and
            ``tap_strides`` as :class:`TokenViT` has them.
        data_preprocessor (dict): Config of the data preprocessor. Its ``mean``
            and ``std`` give the photo's colours back to the pseudo labels and
            the energy loss.
        decode_head (dict): Config of an mmseg decode head. Without
            ``in_channels`` it sees the last feature map; ``num_classes``
            defaults to 1 + C.
        num_classes (int): C, the number of classes without background.
        segmentation_loss (dict, optional): Options of
            :class:`BalancedCrossEntropy`, between the decoder and the pseudo
            labels. Defaults to None: that class's defaults.
        energy_loss (dict, optional): Options of :class:`DenseEnergyLoss`, of
            the decoder on the photo's colours. Defaults to None: that class's
            defaults.
        thresholds (tuple[float, float]): Scores in [0, 1] of the weak and of
            the strong background that the maps compete with, see
            :func:`mmwsss.ops.refined_labels`. Defaults to (0.25, 0.7), ToCo's
            beta_l and beta_h (CVPR 2023, section 4.1).
        loss_weights (dict[str, float], optional): Factors of the losses, by
            the names that ``default_loss_weights`` of the method has. Those
            not given keep the value there; a loss of weight 0 is not
            computed. Defaults to None.
        test_cfg (dict, optional): ``scales`` and ``flip`` of
            :class:`BaseLocalizer`, with ``scales`` (1.0, 0.5, 1.5) by default
            (published code of AFA and ToCo), in training too, and

            - ``maps`` (str): The kind of maps that ``localize`` returns, a
              key of ``map_fields``. Defaults to the first.
            - ``background`` (float): Threshold in [0, 1] of the maps in
              validation; what is not above it is background. Defaults to 0.5
              (ToCo's published code).
        init_cfg (dict, optional): See mmengine's ``BaseModule``.

    Raises:
        ValueError: If the thresholds are no two rising numbers in [0, 1], or
            a loss or a kind of maps is unknown.
    """

    map_fields: Dict[str, str] = dict(cam='pred_cam')
    """Kind of maps -> field that :meth:`predict` fills with their masks."""

    default_loss_weights: Dict[str, float] = dict(seg=0.1, energy=0.05)
    """ToCo's: CVPR 2023, section 4.1; the energy's is its published code's."""

    # What mmseg's test-time augmentation asks of a segmentor.
    align_corners = False

    def __init__(self,
                 backbone: dict,
                 data_preprocessor: dict,
                 decode_head: dict,
                 num_classes: int,
                 segmentation_loss: Optional[dict] = None,
                 energy_loss: Optional[dict] = None,
                 thresholds: Sequence[float] = (0.25, 0.7),
                 loss_weights: Optional[dict] = None,
                 test_cfg: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(
            data_preprocessor,
            dict(dict(scales=(1.0, 0.5, 1.5)), **(test_cfg or {})), init_cfg)
        kinds = tuple(self.map_fields)
        if self.test_cfg.setdefault('maps', kinds[0]) not in kinds:
            raise ValueError(f'test_cfg.maps={self.test_cfg["maps"]!r}: use '
                             f'one of {kinds}')
        self.low, self.high = thresholds
        if not 0 <= self.low <= self.high <= 1:
            raise ValueError(f'thresholds={tuple(thresholds)}: give two '
                             'numbers in [0, 1], the lower first')
        # A copy: hooks change it while the training goes on.
        self.loss_weights = dict(self.default_loss_weights)
        unknown = set(loss_weights or {}) - set(self.loss_weights)
        if unknown:
            raise ValueError(f'loss_weights: unknown {sorted(unknown)}; '
                             f'known: {list(self.loss_weights)}')
        self.loss_weights.update(loss_weights or {})
        self.num_classes = num_classes
        self.backbone = MODELS.build(backbone)
        self.build_classifiers()
        self.decode_head = MODELS.build(dict(
            dict(in_channels=self.backbone.tap_channels[-1],
                 num_classes=num_classes + 1), **decode_head))
        self.segmentation_loss, self.energy_loss = (
            MODELS.build(dict(dict(type=name), **(options or {})))
            for name, options in (('BalancedCrossEntropy', segmentation_loss),
                                  ('DenseEnergyLoss', energy_loss)))

    def build_classifiers(self) -> None:
        """Add what turns features into class evidence; by default nothing.

        Called between encoder and decoder. Both are there with
        ``num_classes`` when the constructor of the method goes on; what is
        built there stands behind the decoder in optimizer and checkpoint.
        """

    @property
    def out_channels(self) -> int:
        """Classes of the decoder, background included."""
        return self.decode_head.out_channels

    def encode(self, inputs: Tensor) -> Any:
        """What logits, maps and decoder need of images.

        Args:
            inputs (Tensor): Normalised images, (B, 3, H, W).

        Returns:
            Any: By default the backbone's feature maps, (B, D, h, w) each.
        """
        return self.backbone(inputs)

    def encode_image(self, inputs: Tensor, kinds: Sequence[str]) -> Any:
        """:meth:`encode` of the images themselves, not of a view for maps.

        A method that wants more of them than of the other scales and the
        mirror images adds it here.

        Args:
            inputs (Tensor): Normalised images, (B, 3, H, W).
            kinds (Sequence[str]): The kinds of maps that are made, keys of
                ``map_fields``; none if only the decoder is asked.

        Returns:
            Any: What the other methods understand as :meth:`encode`'s.
        """
        return self.encode(inputs)

    @abstractmethod
    def class_logits(self, encoded: Any) -> Tensor:
        """Class logits (B, C) of what :meth:`encode` returns."""

    @abstractmethod
    def responses(self, encoded: Any, onehot: Optional[Tensor] = None
                  ) -> Tuple[Tensor, ...]:
        """Raw maps of one view; what is negative speaks against the class.

        Args:
            encoded: What :meth:`encode` returns.
            onehot (Tensor, optional): Image-level labels, (B, C). Maps of
                other classes are not read; a method that pays for each class
                may leave them at 0. Defaults to None: all are read.

        Returns:
            tuple[Tensor, ...]: (B, C, h, w) of each kind that comes from
            several scales, in the order of ``map_fields``.
        """

    def classify(self, inputs: Tensor,
                 data_samples: Optional[List[SegDataSample]] = None
                 ) -> Tensor:
        """Class logits (B, C)."""
        return self.class_logits(self.encode(inputs))

    def logits_and_maps(self, inputs: Tensor,
                        data_samples: Optional[List[SegDataSample]] = None
                        ) -> Tuple[Tensor, Tensor]:
        """Logits, and rectified responses of the first kind (B, C, h, w)."""
        encoded = self.encode(inputs)
        return self.class_logits(encoded), self.responses(encoded)[0].relu()

    @torch.no_grad()
    def multi_scale_maps(self,
                         inputs: Tensor,
                         onehot: Optional[Tensor] = None,
                         encoded: Any = None) -> Tuple[Tensor, ...]:
        """Maps from several scales and the mirror image.

        The larger response of image and mirror image, rectified, summed over
        the scales, scaled to [0, 1] for each image and class (published code
        of AFA and ToCo).

        Args:
            inputs (Tensor): Normalised images, (B, 3, H, W).
            onehot (Tensor, optional): Image-level labels, (B, C): maps of
                other classes are left at 0. Defaults to None: all.
            encoded (optional): What :meth:`encode` has made of ``inputs``,
                where that is known already. Defaults to None.

        Returns:
            tuple[Tensor, ...]: (B, C, H, W) of each kind that
            :meth:`responses` gives.
        """
        size = inputs.shape[-2:]
        if onehot is None:
            onehot = inputs.new_ones(len(inputs), self.num_classes)
        # Most images have one to three of many classes.
        most = max(int((onehot > 0).sum(1).max()), 1)
        present, classes = onehot.topk(most, dim=1)  # (B, K)
        total = inputs.new_zeros(())
        flip = bool(self.test_cfg.get('flip', True))
        for scale in self.scales:
            scaled = inputs
            if scale != 1:
                scaled = F.interpolate(
                    inputs, [int(side * scale) for side in size],
                    mode='bilinear')
            views, parts = [scaled], []
            if scale == 1 and encoded is not None:
                views, parts = [], [self.responses(encoded, onehot)]
            if flip:
                views.append(scaled.flip(-1))
            if views:
                parts.append(self.responses(self.encode(torch.cat(views)),
                                            onehot.repeat(len(views), 1)))
            chosen = classes.repeat(1 + flip, 1)[..., None, None]
            maps = torch.cat([
                F.interpolate(kind.gather(1, chosen.expand(
                    -1, -1, *kind.shape[2:])).float(), size, mode='bilinear')
                for kind in map(torch.cat, zip(*parts))], dim=1)
            if flip:
                plain, mirrored = maps.chunk(2)
                maps = torch.maximum(plain, mirrored.flip(-1))
            total = total + maps.relu()  # (B, kinds * K, H, W)
        total = total - total.amin((2, 3), keepdim=True)
        total = total / (total.amax((2, 3), keepdim=True) + 1e-5)
        present = (present > 0)[..., None, None]
        classes = classes[..., None, None].expand(-1, -1, *size)
        return tuple(
            maps.new_zeros(len(inputs), self.num_classes, *size).scatter_(
                1, classes, maps * present)
            for maps in total.split(most, dim=1))

    def every_map(self, inputs: Tensor, onehot: Tensor,
                  encoded: Any) -> Dict[str, Tensor]:
        """Maps of all kinds, those of several scales and what is made of them.

        Args:
            inputs (Tensor): Normalised images, (B, 3, H, W).
            onehot (Tensor): Image-level labels, (B, C).
            encoded: What :meth:`encode_image` has made of ``inputs``.

        Returns:
            dict[str, Tensor]: Kind -> maps in [0, 1], (B, C, H, W), 0 for
            classes that an image lacks.
        """
        return dict(zip(self.map_fields,
                        self.multi_scale_maps(inputs, onehot, encoded)))

    @torch.no_grad()
    def _localize(self, inputs: Tensor, data_samples: List[SegDataSample]
                  ) -> Tuple[Tensor, List[Tensor]]:
        """See :class:`BaseLocalizer`."""
        onehot = stack_labels(data_samples)
        kind = self.test_cfg['maps']
        encoded = self.encode_image(inputs, (kind, ))
        maps = self.every_map(inputs, onehot, encoded)[kind]
        return (self.class_logits(encoded),
                [one[label > 0] for one, label in zip(maps, onehot)])

    def decoder_inputs(self, encoded: Any) -> Sequence[Tensor]:
        """Feature maps for the decoder, (B, D, h, w) each.

        By default all that :meth:`encode` returns, of which mmseg's heads
        take what their ``in_index`` names.
        """
        return encoded

    def decode(self, encoded: Any) -> Tensor:
        """Logits of the decoder, (B, 1 + C, h, w)."""
        return self.decode_head(self.decoder_inputs(encoded))

    def loss(self, inputs: Tensor,
             data_samples: List[SegDataSample]) -> Dict[str, Tensor]:
        """Losses of encoder and decoder from image-level labels.

        Args:
            inputs (Tensor): Normalised images, (B, 3, H, W).
            data_samples (list[SegDataSample]): With ``gt_label`` and, where
                images are padded, the metainfo ``img_shape``.

        Returns:
            dict[str, Tensor]: Scalars, weighted.
        """
        labels = stack_labels(data_samples)
        encoded = self.encode_image(inputs, self.kinds_to_learn())
        batch = TrainingBatch(
            inputs, data_samples, labels, inside_photo(data_samples, inputs),
            encoded, self.multi_scale_maps(inputs, labels, encoded))
        return {**self.encoder_losses(batch), **self.pixel_losses(batch)}

    def kinds_to_learn(self) -> Sequence[str]:
        """The kinds of maps that this training step needs; by default all."""
        return tuple(self.map_fields)

    def encoder_losses(self, batch: TrainingBatch) -> Dict[str, Tensor]:
        """Weighted losses from labels and maps; by default none."""
        return {}

    def pixel_losses(self, batch: TrainingBatch) -> Dict[str, Tensor]:
        """Weighted losses from pseudo labels of pixels: the decoder's."""
        if not self.decoder_learns():
            return {}
        return self.decoder_losses(batch, self.pseudo_labels(batch))

    def decoder_learns(self) -> bool:
        """Whether a loss of the decoder has a weight."""
        return bool(self.loss_weights.get('seg') or
                    self.loss_weights.get('energy'))

    def decoder_losses(self, batch: TrainingBatch,
                       pseudo: Tensor) -> Dict[str, Tensor]:
        """Weighted losses of the decoder.

        Args:
            batch (TrainingBatch): The batch.
            pseudo (Tensor): Labels of its pixels: 0 background, 1..C, 255
                unknown, (B, H, W).

        Returns:
            dict[str, Tensor]: 'loss_seg' and 'loss_energy', where they have a
            weight.
        """
        logits = F.interpolate(self.decode(batch.encoded),
                               batch.inputs.shape[2:],
                               mode='bilinear').float()
        weights, losses = self.loss_weights, {}
        if weights.get('seg'):
            losses['loss_seg'] = weights['seg'] * self.segmentation_loss(
                logits, pseudo)
        if weights.get('energy'):
            losses['loss_energy'] = weights['energy'] * self.energy_loss(
                logits, self.colours(batch.inputs), pseudo, batch.inside)
        return losses

    def seed_maps(self, batch: TrainingBatch) -> Tensor:
        """Maps that become pseudo labels, (B, C, H, W); the first kind."""
        return batch.maps[0]

    def pseudo_labels(self, batch: TrainingBatch, **options: Any) -> Tensor:
        """:meth:`seed_maps` refined by the photo's colours, as labels.

        Args:
            batch (TrainingBatch): The batch.
            **options: Of :func:`mmwsss.ops.refined_labels`, e.g. ``spread``.

        Returns:
            Tensor: 0 background, 1..C, 255 unknown, (B, H, W).
        """
        return refined_labels(
            self.colours(batch.inputs) / 255, self.seed_maps(batch),
            batch.labels, self.low, self.high, batch.inside, **options)

    def colours(self, inputs: Tensor) -> Tensor:
        """Normalised images -> RGB in 0..255, (B, 3, H, W)."""
        norm = self.data_preprocessor
        return (inputs * norm.std + norm.mean).clamp(0, 255)

    def predict(self, inputs: Tensor,
                data_samples: List[SegDataSample]) -> List[SegDataSample]:
        """Fill ``pred_sem_seg`` and ``seg_logits`` of the decoder.

        Where image-level labels are known also the masks that the maps stand
        for, a field of each kind, see ``map_fields``.
        """
        labelled = 'gt_label' in data_samples[0]
        encoded = self.encode_image(
            inputs, tuple(self.map_fields) if labelled else ())
        logits = F.interpolate(self.decode(encoded), inputs.shape[2:],
                               mode='bilinear')
        BaseSegmentor.postprocess_result(self, logits.float(), data_samples)
        if labelled:
            onehot = stack_labels(data_samples)
            threshold = self.test_cfg.get('background', 0.5)
            every = self.every_map(inputs, onehot, encoded)
            for kind, maps in every.items():
                for i, sample in enumerate(data_samples):
                    full = F.interpolate(maps[i:i + 1], sample.ori_shape,
                                         mode='bilinear')
                    mask = cam_labels(full, onehot[i:i + 1], threshold,
                                      threshold)
                    sample.set_field(PixelData(data=mask),
                                     self.map_fields[kind])
        return data_samples


def inside_photo(data_samples: List[SegDataSample],
                 inputs: Tensor) -> Tensor:
    """False where an image was padded below or to the right, (B, H, W)."""
    inside = torch.zeros(len(inputs), *inputs.shape[2:], dtype=torch.bool,
                         device=inputs.device)
    for mask, sample in zip(inside, data_samples):
        height, width = sample.get('img_shape', inputs.shape[2:])[:2]
        mask[:height, :width] = True
    return inside
