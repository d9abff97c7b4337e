"""ToCo: localization and segmentation in one, with token contrast."""
import copy
from typing import Any, Dict, List, Optional, Sequence

import torch
import torch.nn.functional as F
from mmseg.structures import SegDataSample
from torch import Tensor

from mmwsss.ops.cam_labels import (
    cam_labels,
    crop,
    crop_corners,
    uncertain_regions,
)
from mmwsss.registry import MODELS

from .patch_token_cam import PatchTokenCAM
from .single_stage import TrainingBatch


@MODELS.register_module()
class ToCo(PatchTokenCAM):
    """Token contrast for single-stage weakly supervised segmentation.

    Ru, Zheng, Zhan, Du: "Token Contrast for Weakly-Supervised Semantic
    Segmentation", CVPR 2023. The auxiliary maps say which patches belong
    together, for the patch contrast, and where crops show no object, for the
    crop contrast. docs/toco.md lists what differs from the published code.

    Args:
        *args: See :class:`PatchTokenCAM`.
        projection (dict, optional): Options of :class:`ProjectionHead`, which
            the crop contrast sees class tokens through. Defaults to None:
            that class's defaults.
        patch_contrast (dict, optional): Options of
            :class:`PatchTokenContrast`. Defaults to None: that class's
            defaults.
        crop_contrast (dict, optional): Options of
            :class:`CropTokenContrast`. Defaults to None: that class's
            defaults.
        num_crops (int): How many local crops are cut from an image. Defaults
            to 8 (published code).
        crop_size (int): Their side in pixels. Defaults to 96 (published
            code).
        teacher_momentum (float): Share in [0, 1] of its weights that the
            teacher's projection keeps at a step; the rest is the student's.
            Defaults to 0.9 (section 4.1).
        **kwargs: See :class:`PatchTokenCAM`. ``loss_weights`` has 'cls',
            'aux', 'ptc' (patch contrast), 'ctc' (crop contrast), 'seg' and
            'energy'.
    """

    default_loss_weights = dict(cls=1., aux=1., ptc=0.2, ctc=0.5, seg=0.1,
                                energy=0.05)
    """Section 4.1; the energy's is the published code's."""

    def __init__(self,
                 *args: Any,
                 projection: Optional[dict] = None,
                 patch_contrast: Optional[dict] = None,
                 crop_contrast: Optional[dict] = None,
                 num_crops: int = 8,
                 crop_size: int = 96,
                 teacher_momentum: float = 0.9,
                 **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.projection = MODELS.build(dict(
            dict(type='ProjectionHead', in_channels=self.backbone.embed_dims),
            **(projection or {})))
        self.teacher = copy.deepcopy(self.projection).requires_grad_(False)
        self.patch_contrast, self.crop_contrast = (
            MODELS.build(dict(dict(type=name), **(options or {})))
            for name, options in (('PatchTokenContrast', patch_contrast),
                                  ('CropTokenContrast', crop_contrast)))
        self.num_crops = num_crops
        self.crop_size = crop_size
        self.teacher_momentum = teacher_momentum

    def encoder_losses(self, batch: TrainingBatch) -> Dict[str, Tensor]:
        """Classification, and both contrasts where they have a weight.

        Raises:
            ValueError: If the crop contrast is on and the samples lack
                ``second_view`` and ``local_view``.
        """
        losses = super().encoder_losses(batch)
        weights, (_, aux_maps) = self.loss_weights, batch.maps
        if weights['ptc']:
            features = batch.encoded.final
            grid = features.shape[2:]
            patch_labels = cam_labels(
                F.interpolate(aux_maps, grid, mode='bilinear'), batch.labels,
                self.low, self.high,
                F.adaptive_avg_pool2d(batch.inside[:, None].float(),
                                      grid)[:, 0] >= 0.5)
            losses['loss_ptc'] = weights['ptc'] * self.patch_contrast(
                features, patch_labels)
        if weights['ctc']:
            losses['loss_ctc'] = weights['ctc'] * self._crop_loss(
                batch.encoded.class_token, batch.data_samples,
                uncertain_regions(aux_maps, batch.labels, self.low,
                                  self.high))
        return losses

    def _normalised(self, views: List[Tensor],
                    size: Sequence[int]) -> Tensor:
        """8-bit BGR views -> normalised and padded, (B, 3, *size)."""
        norm = self.data_preprocessor
        return torch.stack([
            F.pad((view.flip(0) - norm.mean) / norm.std,
                  (0, size[1] - view.shape[2], 0, size[0] - view.shape[1]))
            for view in views])

    def _crop_loss(self, class_token: Tensor,
                   data_samples: List[SegDataSample],
                   regions: Tensor) -> Tensor:
        """Contrast of two global views and the local crops.

        The image itself is the first global view; its class token is at hand.
        """
        if 'second_view' not in data_samples[0] or (
                'local_view' not in data_samples[0]):
            raise ValueError(
                'the crop contrast needs PhotometricView for second_view and '
                'local_view in train_pipeline, or loss_weights.ctc=0')
        views = [s.second_view for s in data_samples]
        second = self._normalised(views, views[0].shape[1:])
        local = self._normalised([s.local_view for s in data_samples],
                                 regions.shape[1:])
        corners = crop_corners(regions, self.num_crops, self.crop_size)
        crops = crop(local, corners, self.crop_size)  # (K, B, 3, s, s)
        area = self.crop_size**2
        # As published, a sure pixel counts twice an uncertain one.
        share = crop(regions.unsqueeze(1), corners, self.crop_size).sum(
            (2, 3, 4)) / area  # (K, B)
        second_token = self.encode(second).class_token
        crop_tokens = self.encode(crops.flatten(0, 1)).class_token
        global_tokens = torch.cat([class_token, second_token])
        tokens = torch.cat([global_tokens, crop_tokens]).float()
        student = self.projection(tokens)
        teacher = self.teach(global_tokens.float())
        positive = torch.cat([share.new_ones(2, share.shape[1]),
                              (share > 0.2).to(share)])
        batch = len(class_token)
        return self.crop_contrast(student.unflatten(0, (-1, batch)),
                                  teacher.unflatten(0, (-1, batch)),
                                  positive.t())

    @torch.no_grad()
    def teach(self, tokens: Tensor) -> Tensor:
        """Move the teacher's projection towards the student's; apply it.

        Args:
            tokens (Tensor): Class tokens, (N, D).

        Returns:
            Tensor: (N, D').
        """
        for mine, theirs in zip(self.teacher.parameters(),
                                self.projection.parameters()):
            mine.lerp_(theirs, 1 - self.teacher_momentum)
        return self.teacher(tokens)
