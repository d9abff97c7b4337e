"""Segmentation by a frozen CLIP and a light decoder (WeCLIP, ExCEL)."""
from dataclasses import dataclass
from typing import Any, Dict, Optional, Sequence, Tuple

import torch
from torch import Tensor

from mmwsss.models.backbones.clip_vit import CLIPFeatures
from mmwsss.models.heads.attention_spread import AttentionSpread
from mmwsss.models.losses.patch_affinity import (
    labels_on_patches,
    patch_affinity_loss,
)
from mmwsss.ops.cam_labels import competing_labels
from mmwsss.registry import MODELS

from .single_stage import SingleStage, TrainingBatch


@dataclass
class FusedFeatures:
    """What a frozen encoder and the fusion make of images.

    Attributes:
        features (CLIPFeatures): Of the frozen encoder.
        fused (Tensor): Of the fusion, (B, D, h, w), with gradient.
    """
    features: CLIPFeatures
    fused: Tensor


@MODELS.register_module()
class FrozenCLIPSegmentor(SingleStage):
    """A decoder on a frozen CLIP that learns from CLIP's own maps.

    Zhang et al., "Frozen CLIP: A Strong Backbone for Weakly Supervised
    Semantic Segmentation" (WeCLIP), CVPR 2024, and Yang et al., "Exploring
    CLIP's Dense Knowledge for Weakly Supervised Semantic Segmentation"
    (ExCEL), CVPR 2025. Labels are the image-level ones in training and
    nothing in a test; the published codes read them from the true masks.

    Args:
        *args: See :class:`SingleStage`.
        class_evidence (dict): Config of :class:`TextGradCAM` (WeCLIP) or
            :class:`TextSurgery` (ExCEL).
        spread (dict): Options of :class:`AttentionSpread`.
        fusion (dict): Config of :class:`TokenFusion`.
        affinity (dict, optional): Options of :class:`FeatureAffinity`.
            Defaults to None: WeCLIP's.
        radius (int): Patches farther apart are no pair for the affinity.
            Defaults to 8 (both published codes).
        refine_after (int): Training steps without the learned affinity in the
            spreading of the maps; in evaluation it always refines. Defaults
            to 0.
        calibrate_after (int, optional): Training steps after which the learned
            affinity also calibrates the attention behind the maps (ExCEL's
            LVC); in evaluation it does at once. Defaults to None: never.
        predicted_after (int, optional): Training steps after which the
            affinity learns from the decoder's own prediction (ExCEL on VOC).
            Defaults to None: never.
        background_power (float): Exponent of the background's score, 1 - the
            strongest map. Defaults to 1 (both published codes).
        colour_rounds (int): Rounds of the refinement by the photo's colours.
            Defaults to 20 (both published codes).
        **kwargs: See :class:`SingleStage`; ``thresholds`` are not read.
    """
    default_loss_weights = dict(seg=1., affinity=0.1)
    """WeCLIP's and ExCEL's (section 4.1 of either)."""

    def __init__(self, *args: Any, class_evidence: dict, spread: dict,
                 fusion: dict, affinity: Optional[dict] = None,
                 radius: int = 8, refine_after: int = 0,
                 calibrate_after: Optional[int] = None,
                 predicted_after: Optional[int] = None,
                 background_power: float = 1., colour_rounds: int = 20,
                 **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.class_evidence = MODELS.build(
            dict(class_evidence, num_classes=self.num_classes))
        self.spread = AttentionSpread(**spread)
        self.fusion = MODELS.build(dict(
            dict(type='TokenFusion', in_channels=self.backbone.embed_dims),
            **fusion))
        self.affinity = MODELS.build(dict(
            dict(type='FeatureAffinity'), **(affinity or {})))
        self.radius = radius
        self.refine_after = refine_after
        self.calibrate_after = calibrate_after
        self.predicted_after = predicted_after
        self.background_power = background_power
        self.colour_rounds = colour_rounds
        # A resumed training goes on counting.
        self.register_buffer('steps', torch.tensor(0))

    def encode(self, inputs: Tensor) -> FusedFeatures:
        """The frozen encoder without, the fusion with gradient."""
        features = self.class_evidence.encode(self.backbone, inputs,
                                              self.spread.layers)
        fused = self.fusion(self.class_evidence.levels(features),
                            features.grid)
        return FusedFeatures(features, fused)

    def _begun(self, after: Optional[int]) -> bool:
        """Whether a part that begins after some training steps is on."""
        return after is not None and (not self.training
                                      or bool(self.steps >= after))

    def class_logits(self, encoded: FusedFeatures) -> Tensor:
        """Of CLIP's probabilities among classes and background, (B, C)."""
        return self.class_evidence.classify(
            self.backbone, encoded.features).logit(eps=1e-6)

    @torch.no_grad()
    def responses(self, encoded: FusedFeatures,
                  onehot: Optional[Tensor] = None) -> Tuple[Tensor]:
        """CLIP's maps, spread along attention and learned affinity."""
        options = {}
        if self._begun(self.calibrate_after):
            options['prior'] = self.affinity.attention(encoded.fused)
        maps, attention = self.class_evidence(
            self.backbone, encoded.features, onehot, **options)
        learned = None
        if self._begun(self.refine_after):
            learned = self.affinity(encoded.fused)
        return self.spread(maps, attention, learned),

    def decoder_inputs(self, encoded: FusedFeatures) -> Sequence[Tensor]:
        """The fused feature map."""
        return [encoded.fused]

    def pseudo_labels(self, batch: TrainingBatch, **options: Any) -> Tensor:
        """What is strongest, maps or background, after the colours.

        Args:
            batch (TrainingBatch): The batch.
            **options: Of :func:`mmwsss.ops.competing_labels`.

        Returns:
            Tensor: 0 background, 1..C, 255 outside the photo, (B, H, W).
        """
        return competing_labels(
            self.colours(batch.inputs) / 255, self.seed_maps(batch),
            batch.labels, batch.inside, power=self.background_power,
            iterations=self.colour_rounds, **options)

    def pixel_losses(self, batch: TrainingBatch) -> Dict[str, Tensor]:
        """Losses of decoder and affinity from the pseudo labels."""
        pseudo = self.pseudo_labels(batch)
        losses = self.decoder_losses(batch, pseudo)
        weight = self.loss_weights['affinity']
        if weight:
            target = pseudo
            if self._begun(self.predicted_after):
                with torch.no_grad():
                    target = self.decode(batch.encoded).argmax(1)
            fused = batch.encoded.fused
            losses['loss_affinity'] = weight * patch_affinity_loss(
                self.affinity(fused),
                labels_on_patches(target, fused.shape[2:]), self.radius)
        self.steps += 1
        return losses
