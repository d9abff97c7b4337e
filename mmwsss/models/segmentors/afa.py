"""AFA: affinity of patches, learned from attention, spreads the maps."""
from functools import partial
from typing import Any, Dict, NamedTuple, Optional, Sequence, Union

import torch
from torch import Tensor

from mmwsss.models.losses.patch_affinity import labels_on_patches
from mmwsss.ops.min_max import min_max
from mmwsss.registry import MODELS

from .patch_token_cam import PatchTokenCAM, TokenMaps
from .single_stage import TrainingBatch


class AffinityTokenMaps(NamedTuple):
    """:class:`TokenMaps`, and the affinity of their patches.

    Attributes:
        class_token (Tensor): (B, D).
        final (Tensor): (B, D, h, w).
        aux (Tensor): (B, D, h, w).
        affinity (Tensor): Of all pairs of the N = h * w patches, in [0, 1],
            (B, N, N).
    """
    class_token: Tensor
    final: Tensor
    aux: Tensor
    affinity: Tensor


@MODELS.register_module()
class AFA(PatchTokenCAM):
    """Affinity from attention for single-stage weak supervision.

    Ru, Zhan, Yu, Du: "Learning Affinity from Attention: End-to-End
    Weakly-Supervised Semantic Segmentation with Transformers", CVPR 2022. A
    head learns from the attention of the last layers which patches belong
    together; its target are the pseudo labels. Later the scores that become
    pseudo labels spread along this affinity. docs/toco.md says what differs
    from the published code.

    Args:
        *args: See :class:`PatchTokenCAM`.
        attention_affinity (dict, optional): Options of
            :class:`AttentionAffinityHead`, and

            - ``num_layers`` (int): How many of the last layers it sees.
              Defaults to 2 (published code).
            - ``warmup`` (int): Training steps in which the head only learns;
              from then on the pseudo labels come from spread scores.
              Defaults to 0.

            Defaults to None: all of that by default.
        **kwargs: See :class:`PatchTokenCAM`. ``loss_weights`` has 'cls',
            'aux', 'seg', 'energy' and 'affinity'; while that of 'affinity' is
            0, nothing is learned of it. ``test_cfg.maps`` may also be
            'affinity', the final maps spread.

    Raises:
        ValueError: If the network has no ``num_layers`` layers.
    """

    map_fields = dict(**PatchTokenCAM.map_fields,
                      affinity='pred_affinity_cam')

    default_loss_weights = dict(**PatchTokenCAM.default_loss_weights,
                                affinity=0.1)
    """The affinity's is the published code's."""

    def __init__(self, *args: Any, attention_affinity: Optional[dict] = None,
                 **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        options = dict(attention_affinity or {})
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
        # A resumed training goes on counting.
        self.register_buffer('affinity_steps', torch.tensor(0))

    def encode_image(self, inputs: Tensor, kinds: Sequence[str]
                     ) -> Union[TokenMaps, AffinityTokenMaps]:
        """With the affinity, where 'affinity' is among the kinds."""
        if 'affinity' not in kinds:
            return self.encode(inputs)
        with self.backbone.recorded_attention(
                self.affinity_layers) as logits:
            encoded = self.encode(inputs)
        count = encoded.final[0, 0].numel()
        among_patches = torch.cat(logits, dim=1)[..., -count:, -count:]
        return AffinityTokenMaps(*encoded,
                                 self.attention_affinity(among_patches))

    def kinds_to_learn(self) -> Sequence[str]:
        """All kinds; without 'affinity' while that loss has no weight."""
        return tuple(kind for kind in self.map_fields
                     if kind != 'affinity' or self.loss_weights['affinity'])

    def every_map(self, inputs: Tensor, onehot: Tensor,
                  encoded: Union[TokenMaps, AffinityTokenMaps]
                  ) -> Dict[str, Tensor]:
        """Also the final maps spread, where the affinity is known."""
        maps = super().every_map(inputs, onehot, encoded)
        if isinstance(encoded, AffinityTokenMaps):
            maps['affinity'] = min_max(self.attention_affinity.spread(
                maps['cam'], encoded.affinity, encoded.final.shape[2:]))
        return maps

    def pixel_losses(self, batch: TrainingBatch) -> Dict[str, Tensor]:
        """Losses of affinity and decoder from the pseudo labels."""
        if not isinstance(batch.encoded, AffinityTokenMaps):
            return super().pixel_losses(batch)
        affinity, grid = batch.encoded.affinity, batch.encoded.final.shape[2:]
        pseudo = self.pseudo_labels(batch)
        losses = dict(loss_affinity=self.loss_weights['affinity'] *
                      self.attention_affinity.loss(
                          affinity, labels_on_patches(pseudo, grid)))
        if self.affinity_steps >= self.affinity_warmup:
            pseudo = self.pseudo_labels(batch, spread=partial(
                self.attention_affinity.spread, affinity=affinity.detach(),
                grid=grid))
        self.affinity_steps += 1
        if self.decoder_learns():
            losses.update(self.decoder_losses(batch, pseudo))
        return losses
