"""ToCo: localization and segmentation in one, with token contrast."""
import copy
from functools import partial
from typing import Dict, List, Optional, Sequence, Tuple

import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.models.segmentors import BaseSegmentor
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from mmwsss.models.localizers.base import BaseLocalizer, stack_labels
from mmwsss.ops.cam_labels import (
    cam_labels,
    crop,
    crop_corners,
    refined_labels,
    uncertain_regions,
)
from mmwsss.ops.gwrp import gwrp
from mmwsss.ops.min_max import min_max
from mmwsss.registry import MODELS

LOSS_WEIGHTS = dict(cls=1., aux=1., ptc=0.2, ctc=0.5, seg=0.1, energy=0.05)
"""Section 4.1; the weight of the energy is the published script's."""

AFFINITY_WEIGHT = 0.1
"""AFA's published script."""

MAPS = ('cam', 'aux', 'affinity')


@MODELS.register_module()
class ToCo(BaseLocalizer):
    """Token contrast for single-stage weakly supervised segmentation.

    Ru, Zheng, Zhan, Du: "Token Contrast for Weakly-Supervised Semantic
    Segmentation", CVPR 2023. It is a localizer (its class activation maps)
    and a segmentor (its decoder). docs/toco.md lists what differs from the
    published code. With ``attention_affinity`` instead of the contrasts it
    learns as AFA does.

    Args:
        backbone (dict): Config of a :class:`TokenViT`.
        data_preprocessor (dict): Config of the data preprocessor.
        decode_head (dict): Config of an mmseg decode head; what of its sizes
            is not given is taken from the backbone and ``num_classes``.
        num_classes (int): C, without background.
        aux_layer (int): Block whose tokens the auxiliary maps see, counted
            from the end. Defaults to -3.
        projection (dict, optional): Options of :class:`ProjectionHead`.
        patch_contrast (dict, optional): Options of
            :class:`PatchTokenContrast`.
        crop_contrast (dict, optional): Options of
            :class:`CropTokenContrast`.
        segmentation_loss (dict, optional): Options of
            :class:`BalancedCrossEntropy`.
        energy_loss (dict, optional): Options of :class:`DenseEnergyLoss`.
        attention_affinity (dict, optional): Options of
            :class:`AttentionAffinityHead`, and

            - ``num_layers`` (int): The last layers that it sees. Defaults to
              2.
            - ``warmup`` (int): Training steps in which it only learns; after
              them the segmentation learns from maps that it propagated.
              Defaults to 0.

            Defaults to None: no such head.
        pooling_decay (float): Decay of the global weighted rank pooling
            before the classifiers. Defaults to 0, the published max pooling;
            a network without pre-trained weights needs more, e.g. 0.9.
        thresholds (tuple[float, float]): Of sure background and of sure
            objects, on the maps. Defaults to (0.25, 0.7).
        num_crops (int): Local crops an image. Defaults to 8.
        crop_size (int): Their side in pixels. Defaults to 96.
        teacher_momentum (float): Of the teacher's projection. Defaults to
            0.9.
        loss_weights (dict, optional): Of 'cls', 'aux', 'ptc', 'ctc', 'seg',
            'energy' and, with ``attention_affinity``, 'affinity'; a loss of
            weight 0 is not computed. Default to ``LOSS_WEIGHTS`` and
            ``AFFINITY_WEIGHT``.
        test_cfg (dict, optional): ``scales`` and ``flip`` of
            :class:`BaseLocalizer`, with ``scales`` (1.0, 0.5, 1.5) by
            default, and

            - ``maps`` (str): What ``localize`` returns: 'cam' (default),
              'aux', or 'affinity', the final maps propagated.
            - ``background`` (float): Threshold of the maps in validation.
              Defaults to 0.5.
        init_cfg (dict, optional): See mmengine's ``BaseModule``.
    """

    def __init__(self,
                 backbone: dict,
                 data_preprocessor: dict,
                 decode_head: dict,
                 num_classes: int,
                 aux_layer: int = -3,
                 projection: Optional[dict] = None,
                 patch_contrast: Optional[dict] = None,
                 crop_contrast: Optional[dict] = None,
                 segmentation_loss: Optional[dict] = None,
                 energy_loss: Optional[dict] = None,
                 attention_affinity: Optional[dict] = None,
                 pooling_decay: float = 0.,
                 thresholds: Sequence[float] = (0.25, 0.7),
                 num_crops: int = 8,
                 crop_size: int = 96,
                 teacher_momentum: float = 0.9,
                 loss_weights: Optional[dict] = None,
                 test_cfg: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(
            data_preprocessor,
            dict(dict(scales=(1.0, 0.5, 1.5)), **(test_cfg or {})), init_cfg)
        known = MAPS if attention_affinity is not None else MAPS[:2]
        if self.test_cfg.get('maps', 'cam') not in known:
            raise ValueError(f'test_cfg.maps={self.test_cfg["maps"]!r}: use '
                             f'one of {known}')
        self.low, self.high = thresholds
        if not 0 <= self.low <= self.high <= 1:
            raise ValueError(f'thresholds={tuple(thresholds)}: give two '
                             'numbers in [0, 1], the lower first')
        self.loss_weights = dict(LOSS_WEIGHTS)
        if attention_affinity is not None:
            self.loss_weights['affinity'] = AFFINITY_WEIGHT
        unknown = set(loss_weights or {}) - set(self.loss_weights)
        if unknown:
            raise ValueError(f'loss_weights: unknown {sorted(unknown)}; '
                             f'known: {list(self.loss_weights)}')
        self.loss_weights.update(loss_weights or {})
        self.backbone = MODELS.build(dict(
            backbone, out_type='raw', out_indices=[aux_layer, -1]))
        # As published: a change of its grid interpolates it at every step.
        self.backbone.pos_embed.requires_grad_(False)
        width = self.backbone.embed_dims
        self.classifier, self.aux_classifier = (
            nn.Conv2d(width, num_classes, 1, bias=False) for _ in range(2))
        self.decode_head = MODELS.build(dict(
            dict(in_channels=width, num_classes=num_classes + 1),
            **decode_head))
        self.projection = MODELS.build(dict(
            dict(type='ProjectionHead', in_channels=width),
            **(projection or {})))
        self.teacher = copy.deepcopy(self.projection).requires_grad_(False)
        self.patch_contrast, self.crop_contrast, self.segmentation_loss, \
            self.energy_loss = (
                MODELS.build(dict(dict(type=name), **(options or {})))
                for name, options in (
                    ('PatchTokenContrast', patch_contrast),
                    ('CropTokenContrast', crop_contrast),
                    ('BalancedCrossEntropy', segmentation_loss),
                    ('DenseEnergyLoss', energy_loss)))
        self.attention_affinity = None
        if attention_affinity is not None:
            options = dict(attention_affinity)
            self.affinity_layers = options.pop('num_layers', 2)
            self.affinity_warmup = options.pop('warmup', 0)
            if not 1 <= self.affinity_layers <= len(self.backbone.layers):
                raise ValueError(
                    f'attention_affinity.num_layers={self.affinity_layers}: '
                    f'the network has {len(self.backbone.layers)} layers')
            heads = self.backbone.layers[-1].attn.num_heads
            self.attention_affinity = MODELS.build(dict(
                dict(type='AttentionAffinityHead',
                     in_channels=heads * self.affinity_layers), **options))
            self.register_buffer('affinity_steps', torch.tensor(0))
        self.pooling_decay = pooling_decay
        self.num_crops = num_crops
        self.crop_size = crop_size
        self.teacher_momentum = teacher_momentum

    # What mmseg's test-time augmentation asks of a segmentor.
    align_corners = False

    @property
    def out_channels(self) -> int:
        """Classes of the decoder, background included."""
        return self.decode_head.out_channels

    @property
    def patch_size(self) -> int:
        """Side of a patch in pixels."""
        return self.backbone.patch_embed.projection.stride[0]

    def encode(self, inputs: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        """Class token (B, D), final and auxiliary feature maps (B, D, h, w).

        The final tokens have passed the last LayerNorm, the auxiliary ones
        have not.
        """
        # A patch that hangs over the edge is padded.
        grid = [-(-side // self.patch_size) for side in inputs.shape[-2:]]
        aux, final = self.backbone(inputs)  # (B, 1 + N, D) each
        final_map, aux_map = (
            tokens[:, 1:].transpose(1, 2).unflatten(2, grid)
            for tokens in (final, aux))
        return final[:, 0], final_map, aux_map

    def encode_with_affinity(self, inputs: Tensor, wanted: bool = True
                             ) -> Tuple[Tuple[Tensor, ...],
                                        Optional[Tensor]]:
        """:meth:`encode`, and the affinity of all pairs of patches.

        Args:
            inputs (Tensor): (B, 3, H, W).
            wanted (bool): Whether the affinity is computed, where there is a
                head for it.

        Returns:
            tuple: Class token and feature maps; (B, N, N) or None.
        """
        if self.attention_affinity is None or not wanted:
            return self.encode(inputs), None
        with self.backbone.recorded_attention(
                self.affinity_layers) as logits:
            encoded = self.encode(inputs)
        count = encoded[1][0, 0].numel()
        among_patches = torch.cat(logits, dim=1)[..., -count:, -count:]
        return encoded, self.attention_affinity(among_patches)

    def classify(self, inputs: Tensor,
                 data_samples: Optional[List[SegDataSample]] = None
                 ) -> Tensor:
        """Class logits (B, C)."""
        return self.pooled_logits(self.classifier, self.encode(inputs)[1])

    def pooled_logits(self, classifier: nn.Conv2d, features: Tensor
                      ) -> Tensor:
        """Classifier on the pooled feature maps, (B, C)."""
        pooled = gwrp(features, self.pooling_decay)
        return classifier(pooled[..., None, None]).flatten(1)

    def logits_and_maps(self, inputs: Tensor,
                        data_samples: Optional[List[SegDataSample]] = None
                        ) -> Tuple[Tensor, Tensor]:
        """Logits, and raw final and auxiliary maps (B, 2C, h, w)."""
        _, *features = self.encode(inputs)
        return (self.pooled_logits(self.classifier, features[0]),
                self._classified(*features))

    def _classified(self, final_map: Tensor, aux_map: Tensor) -> Tensor:
        return torch.cat([self.classifier(final_map),
                          self.aux_classifier(aux_map)], dim=1)

    @torch.no_grad()
    def multi_scale_maps(self,
                         inputs: Tensor,
                         onehot: Optional[Tensor] = None,
                         features: Optional[Sequence[Tensor]] = None
                         ) -> Tuple[Tensor, Tensor]:
        """Maps from several scales and the mirror image.

        The larger response of image and mirror image, rectified, summed over
        the scales, scaled to [0, 1] for each image and class.

        Args:
            inputs (Tensor): Normalised images, (B, 3, H, W).
            onehot (Tensor, optional): Image-level labels, (B, C): maps of
                other classes are left at 0. Defaults to None: all.
            features (Sequence[Tensor], optional): Final and auxiliary
                feature maps of ``inputs``, where they are known already.

        Returns:
            tuple[Tensor, Tensor]: Final and auxiliary maps, (B, C, H, W).
        """
        size = inputs.shape[-2:]
        count = self.classifier.out_channels
        if onehot is None:
            onehot = inputs.new_ones(len(inputs), count)
        # Most images have one to three of many classes.
        most = max(int((onehot > 0).sum(1).max()), 1)
        present, classes = onehot.topk(most, dim=1)  # (B, K)
        total: Tensor = 0
        flip = bool(self.test_cfg.get('flip', True))
        for scale in self.scales:
            scaled = inputs
            if scale != 1:
                scaled = F.interpolate(
                    inputs, [int(side * scale) for side in size],
                    mode='bilinear')
            todo, parts = [scaled], []
            if scale == 1 and features is not None:
                todo, parts = [], [self._classified(*features)]
            if flip:
                todo.append(scaled.flip(-1))
            if todo:
                parts.append(self.class_maps(torch.cat(todo)))
            maps = torch.cat(parts)
            chosen = torch.cat([classes, classes + count], dim=1)
            chosen = chosen.repeat(1 + flip, 1)
            maps = maps.gather(1, chosen[..., None, None].expand(
                -1, -1, *maps.shape[2:])).float()
            maps = F.interpolate(maps, size, mode='bilinear')
            if flip:
                plain, mirrored = maps.chunk(2)
                maps = torch.maximum(plain, mirrored.flip(-1))
            total = total + maps.relu()
        total = total - total.amin((2, 3), keepdim=True)
        total = total / (total.amax((2, 3), keepdim=True) + 1e-5)
        total = total * (present > 0).repeat(1, 2)[..., None, None]
        spread = []
        for maps in total.chunk(2, dim=1):
            full = maps.new_zeros(len(inputs), count, *size)
            spread.append(full.scatter_(
                1, classes[..., None, None].expand(-1, -1, *size), maps))
        return spread[0], spread[1]

    @torch.no_grad()
    def _localize(self, inputs: Tensor, data_samples: List[SegDataSample]
                  ) -> Tuple[Tensor, List[Tensor]]:
        """See :class:`BaseLocalizer`."""
        onehot = stack_labels(data_samples)
        kind = self.test_cfg.get('maps', 'cam')
        (_, *features), affinity = self.encode_with_affinity(
            inputs, kind == 'affinity')
        maps = self._every_map(inputs, onehot, features, affinity)
        chosen = maps[MAPS.index(kind)]
        return (self.pooled_logits(self.classifier, features[0]),
                [one[label > 0] for one, label in zip(chosen, onehot)])

    def _every_map(self, inputs: Tensor, onehot: Tensor,
                   features: Sequence[Tensor], affinity: Optional[Tensor]
                   ) -> Tuple[Tensor, ...]:
        """Maps in the order of ``MAPS``; the propagated with affinity only."""
        maps = self.multi_scale_maps(inputs, onehot, features)
        if affinity is None:
            return maps
        return (*maps, min_max(self.attention_affinity.spread(
            maps[0], affinity, features[0].shape[2:])))

    def loss(self, inputs: Tensor,
             data_samples: List[SegDataSample]) -> Dict[str, Tensor]:
        """Classification, contrast and segmentation from image-level labels.

        Raises:
            ValueError: If the crop contrast is on and the samples lack
                ``second_view`` and ``local_view``.
        """
        weights = self.loss_weights
        labels = stack_labels(data_samples)
        inside = inside_photo(data_samples, inputs)
        (class_token, features, aux_features), affinity = (
            self.encode_with_affinity(inputs,
                                      bool(weights.get('affinity'))))
        maps, aux_maps = self.multi_scale_maps(inputs, labels,
                                               (features, aux_features))
        losses = dict(
            loss_cls=weights['cls'] * F.multilabel_soft_margin_loss(
                self.pooled_logits(self.classifier, features), labels),
            loss_aux=weights['aux'] * F.multilabel_soft_margin_loss(
                self.pooled_logits(self.aux_classifier, aux_features), labels))
        if weights['ptc']:
            grid = features.shape[2:]
            patch_labels = cam_labels(
                F.interpolate(aux_maps, grid, mode='bilinear'), labels,
                self.low, self.high,
                F.adaptive_avg_pool2d(inside[:, None].float(), grid)[:, 0]
                >= 0.5)
            losses['loss_ptc'] = weights['ptc'] * self.patch_contrast(
                features, patch_labels)
        if weights['ctc']:
            losses['loss_ctc'] = weights['ctc'] * self._crop_loss(
                class_token, data_samples, uncertain_regions(
                    aux_maps, labels, self.low, self.high))
        if weights['seg'] or weights['energy'] or affinity is not None:
            losses.update(self._segmentation_losses(
                inputs, features, maps, labels, inside, affinity))
        return losses

    def _segmentation_losses(self, inputs: Tensor, features: Tensor,
                             maps: Tensor, labels: Tensor, inside: Tensor,
                             affinity: Optional[Tensor]) -> Dict[str, Tensor]:
        """What learns from labels of pixels: decoder and affinity."""
        weights, losses, grid = self.loss_weights, {}, features.shape[2:]
        pixels = self._pixels(inputs)
        refined = partial(refined_labels, pixels / 255, maps, labels,
                          self.low, self.high, inside)
        pseudo = refined()
        if affinity is not None:
            losses['loss_affinity'] = (
                weights['affinity'] * self.attention_affinity.loss(
                    affinity, _on_patches(pseudo, grid)))
            if self.affinity_steps >= self.affinity_warmup:
                pseudo = refined(spread=partial(
                    self.attention_affinity.spread,
                    affinity=affinity.detach(), grid=grid))
            self.affinity_steps += 1
        if weights['seg'] or weights['energy']:
            logits = F.interpolate(
                self.decode_head([features]), inputs.shape[2:],
                mode='bilinear').float()
            losses['loss_seg'] = weights['seg'] * self.segmentation_loss(
                logits, pseudo)
            losses['loss_energy'] = weights['energy'] * self.energy_loss(
                logits, pixels, pseudo, inside)
        return losses

    def _pixels(self, inputs: Tensor) -> Tensor:
        """Normalised images -> RGB in 0..255."""
        norm = self.data_preprocessor
        return (inputs * norm.std + norm.mean).clamp(0, 255)

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
        global_tokens = torch.cat([class_token, self.encode(second)[0]])
        tokens = torch.cat([global_tokens, self.encode(crops.flatten(0, 1))[0]
                            ]).float()
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

    def predict(self, inputs: Tensor,
                data_samples: List[SegDataSample]) -> List[SegDataSample]:
        """Fill ``pred_sem_seg`` and ``seg_logits`` of the decoder.

        Where image-level labels are known also ``pred_cam``,
        ``pred_aux_cam`` and, with ``attention_affinity``,
        ``pred_affinity_cam``, the masks that the maps stand for.
        """
        labelled = 'gt_label' in data_samples[0]
        (_, *features), affinity = self.encode_with_affinity(inputs, labelled)
        logits = F.interpolate(self.decode_head(features[:1]),
                               inputs.shape[2:], mode='bilinear')
        BaseSegmentor.postprocess_result(self, logits.float(), data_samples)
        if labelled:
            onehot = stack_labels(data_samples)
            threshold = self.test_cfg.get('background', 0.5)
            for name, maps in zip(
                    ('pred_cam', 'pred_aux_cam', 'pred_affinity_cam'),
                    self._every_map(inputs, onehot, features, affinity)):
                for i, sample in enumerate(data_samples):
                    full = F.interpolate(maps[i:i + 1], sample.ori_shape,
                                         mode='bilinear')
                    sample.set_field(PixelData(data=cam_labels(
                        full, onehot[i:i + 1], threshold, threshold)), name)
        return data_samples


def _on_patches(labels: Tensor, grid: torch.Size) -> Tensor:
    """Labels of pixels (B, H, W) -> of the patches, (B, h, w)."""
    return F.interpolate(labels[:, None].float(), grid)[:, 0].long()


def inside_photo(data_samples: List[SegDataSample],
                 inputs: Tensor) -> Tensor:
    """False where an image was padded below or to the right, (B, H, W)."""
    inside = torch.zeros(len(inputs), *inputs.shape[2:], dtype=torch.bool,
                         device=inputs.device)
    for mask, sample in zip(inside, data_samples):
        height, width = sample.get('img_shape', inputs.shape[2:])[:2]
        mask[:height, :width] = True
    return inside
