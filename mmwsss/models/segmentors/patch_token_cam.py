"""Class activation maps of a ViT's patch tokens, at two depths."""
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import torch.nn.functional as F
from torch import Tensor, nn

from mmwsss.ops.gwrp import gwrp
from mmwsss.registry import MODELS

from .single_stage import SingleStage, TrainingBatch


class TokenMaps(NamedTuple):
    """What a token ViT makes of images.

    Attributes:
        class_token (Tensor): After the last LayerNorm, (B, D).
        final (Tensor): Patch tokens after the last LayerNorm, (B, D, h, w).
        aux (Tensor): Patch tokens of an earlier block, as they leave it,
            (B, D, h, w).
    """
    class_token: Tensor
    final: Tensor
    aux: Tensor


@MODELS.register_module()
class PatchTokenCAM(SingleStage):
    """Classification on patch tokens, with an auxiliary layer.

    The baseline of ToCo (CVPR 2023, Table 3): the patch tokens of the
    last and of an earlier block are pooled and classified; the classifiers on
    the tokens themselves are the maps. ToCo and AFA both begin here. It is no
    part of the skeleton, because a frozen encoder with maps of its own has
    neither classifiers nor an auxiliary layer.

    Args:
        backbone (dict): Config of a :class:`TokenViT`.
        data_preprocessor (dict): See :class:`SingleStage`.
        decode_head (dict): See :class:`SingleStage`; it sees the final patch
            tokens.
        num_classes (int): C, the number of classes without background.
        aux_layer (int): Index of the block whose tokens the auxiliary maps
            see, negative from the end. Defaults to -3, the third-last (ToCo,
            section 4.1).
        pooling_decay (float): Decay in [0, 1] of the global weighted rank
            pooling before the classifiers. Defaults to 0, max pooling (ToCo,
            section 4.1); a network without pre-trained weights needs more,
            e.g. 0.9.
        **kwargs: See :class:`SingleStage`.
    """

    map_fields = dict(cam='pred_cam', aux='pred_aux_cam')

    default_loss_weights = dict(cls=1., aux=1.,
                                **SingleStage.default_loss_weights)
    """Both classifications: ToCo, section 4.1."""

    def __init__(self,
                 backbone: dict,
                 data_preprocessor: dict,
                 decode_head: dict,
                 num_classes: int,
                 aux_layer: int = -3,
                 pooling_decay: float = 0.,
                 **kwargs: Any) -> None:
        super().__init__(
            dict(backbone, out_type='raw', out_indices=[aux_layer, -1]),
            data_preprocessor, decode_head, num_classes, **kwargs)
        # As published: a change of its grid interpolates it at every step.
        self.backbone.pos_embed.requires_grad_(False)
        self.pooling_decay = pooling_decay

    def build_classifiers(self) -> None:
        """One classifier for the final tokens, one for the auxiliary ones."""
        self.classifier, self.aux_classifier = (
            nn.Conv2d(self.backbone.embed_dims, self.num_classes, 1,
                      bias=False) for _ in range(2))

    def encode(self, inputs: Tensor) -> TokenMaps:
        """Class token, final and auxiliary feature maps."""
        # A patch that hangs over the edge is padded.
        grid = [-(-side // self.patch_size) for side in inputs.shape[-2:]]
        aux, final = self.backbone(inputs)  # (B, 1 + N, D) each
        final_map, aux_map = (
            tokens[:, 1:].transpose(1, 2).unflatten(2, grid)
            for tokens in (final, aux))
        return TokenMaps(final[:, 0], final_map, aux_map)

    def class_logits(self, encoded: TokenMaps) -> Tensor:
        return self.pooled_logits(self.classifier, encoded.final)

    def pooled_logits(self, classifier: nn.Conv2d, features: Tensor
                      ) -> Tensor:
        """Classifier on the pooled feature maps, (B, C)."""
        pooled = gwrp(features, self.pooling_decay)
        return classifier(pooled[..., None, None]).flatten(1)

    def responses(self, encoded: TokenMaps, onehot: Optional[Tensor] = None
                  ) -> Tuple[Tensor, Tensor]:
        """Raw final and auxiliary maps of all classes, (B, C, h, w) each."""
        return (self.classifier(encoded.final),
                self.aux_classifier(encoded.aux))

    def decoder_inputs(self, encoded: TokenMaps) -> List[Tensor]:
        """The final patch tokens."""
        return [encoded.final]

    def encoder_losses(self, batch: TrainingBatch) -> Dict[str, Tensor]:
        """Multi-label soft margin loss of both classifiers."""
        encoded, weights = batch.encoded, self.loss_weights
        return {
            f'loss_{name}': weights[name] * F.multilabel_soft_margin_loss(
                self.pooled_logits(classifier, features), batch.labels)
            for name, classifier, features in (
                ('cls', self.classifier, encoded.final),
                ('aux', self.aux_classifier, encoded.aux)) if weights[name]}
