"""MMCT: multi-modal class-specific tokens."""
from typing import Any, Dict, List, Optional, Tuple

import torch
import torch.nn.functional as F
from mmseg.structures import SegDataSample
from torch import Tensor

from mmwsss.models.backbones import TokenFeatures
from mmwsss.ops import min_max
from mmwsss.registry import MODELS

from .base import BaseLocalizer, stack_labels

FUSIONS = ('fused', 'product', 'attention', 'patch')
PATCH_ACTIVATIONS = dict(relu=torch.relu, min_max=min_max)


@MODELS.register_module()
class MMCT(BaseLocalizer):
    """Multi-modal class-specific tokens.

    Xu et al., "Learning Multi-modal Class-specific Tokens for Weakly
    Supervised Dense Object Localization", CVPR 2023. Its code was never
    published; docs/mmct.md says what is the paper's and what is our
    reconstruction. Without ``textual_tokens`` and ``visual_context`` it is
    MCTformer+; without ``contrast`` as well, and with ``decay=1`` and the
    ``product``, MCTformer-V2; without ``patch_head`` MCTformer-V1.

    Args:
        backbone (dict): Config of a :class:`ClassTokenViT`.
        patch_head (dict, optional): Options of :class:`PatchGWRPHead`, e.g.
            ``dict(decay=0.996)``; None switches it off, maps are then the
            attention alone.
        data_preprocessor (dict): Config of the data preprocessor.
        textual_tokens (dict, optional): Options of :class:`TextualTokens`.
            Defaults to None: visual tokens only.
        visual_context (dict, optional): Options of :class:`VisualContext`.
            Defaults to None: off.
        contrast (dict, optional): Options of :class:`ClassTokenContrast`, on
            both modalities. Defaults to None: off.
        loss_weights (dict, optional): Of 'visual', 'textual' and 'patch'
            classification. Default to 1.
        test_cfg (dict, optional): As :class:`BaseLocalizer`, and

            - ``attention_layers`` (int): Last layers whose class-to-patch
              attention is averaged. Defaults to 6.
            - ``affinity_layers`` (int): Last layers whose patch affinity
              refines the map, 0 for none. Defaults to all.
            - ``affinity_steps`` (int): How often the affinity is applied; more
              steps spread further. Defaults to 1 (the paper).
            - ``fusion`` (str): 'fused', sqrt(attention x patch map),
              'product' without the root, 'attention' or 'patch' alone.
              Defaults to 'fused'.
            - ``patch_activation`` (str): What makes the patch map
              non-negative: 'relu' (the paper) or 'min_max', its values scaled
              to [0, 1] within the image. While a class that is in the image
              still has a negative logit, ReLU leaves nothing of its map.
              Defaults to 'relu'.
        init_cfg (dict, optional): See mmengine's ``BaseModule``.

    Example:
        >>> model = MMCT(
        ...     backbone=dict(type='ClassTokenViT', num_classes=20,
        ...                   arch='deit-tiny'),
        ...     patch_head=dict(decay=0.996),
        ...     data_preprocessor=dict(type='mmseg.SegDataPreProcessor'),
        ...     textual_tokens=dict(text_embeddings='learned'))
        >>> model(torch.rand(1, 3, 64, 96)).shape
        torch.Size([1, 20])
    """

    def __init__(self,
                 backbone: dict,
                 patch_head: Optional[dict],
                 data_preprocessor: dict,
                 textual_tokens: Optional[dict] = None,
                 visual_context: Optional[dict] = None,
                 contrast: Optional[dict] = None,
                 loss_weights: Optional[dict] = None,
                 test_cfg: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(data_preprocessor, test_cfg, init_cfg)
        for name, known in (('fusion', FUSIONS),
                            ('patch_activation', tuple(PATCH_ACTIVATIONS))):
            value = self.test_cfg.get(name, known[0])
            if value not in known:
                raise ValueError(
                    f'test_cfg.{name}={value!r}: use one of {known}')
        self.backbone = MODELS.build(backbone)
        self.num_classes = self.backbone.num_classes
        width = self.backbone.embed_dims
        self.patch_head = _build_part(
            'PatchGWRPHead', patch_head, num_classes=self.num_classes,
            in_channels=width)
        fusion = self.test_cfg.get('fusion', 'fused')
        if self.patch_head is None and fusion != 'attention':
            raise ValueError(f'test_cfg.fusion={fusion!r}: without patch_head '
                             "only 'attention' is there")
        self.textual_tokens = _build_part(
            'TextualTokens', textual_tokens, num_classes=self.num_classes,
            embed_dims=width)
        self.visual_context = _build_part(
            'VisualContext', visual_context, embed_dims=width,
            num_layers=self.backbone.num_layers)
        self.contrast = _build_part('ClassTokenContrast', contrast)
        self.loss_weights = dict(visual=1., textual=1., patch=1.)
        unknown = set(loss_weights or {}) - set(self.loss_weights)
        if unknown:
            raise ValueError(f'loss_weights: unknown {sorted(unknown)}; '
                             f'known: {sorted(self.loss_weights)}')
        self.loss_weights.update(loss_weights or {})

    def extract_features(self, inputs: Tensor,
                         data_samples: Optional[List[SegDataSample]],
                         **kwargs: Any) -> TokenFeatures:
        """Tokens of a batch; ``kwargs`` ask for attention."""
        textual = None
        if self.textual_tokens is not None:
            textual = self.textual_tokens(data_samples, len(inputs))
        return self.backbone(inputs, textual, self.visual_context, **kwargs)

    def split_modalities(self, tokens: Tensor) -> Dict[str, Tensor]:
        """Tokens (B, T, D) -> (B, C, D) by modality."""
        names = ('visual', 'textual')[:tokens.shape[1] // self.num_classes]
        return dict(zip(names, tokens.split(self.num_classes, dim=1)))

    def logits(self, features: TokenFeatures) -> Dict[str, Tensor]:
        """Class logits (B, C) of each modality and of the patches."""
        tokens = self.split_modalities(features.class_tokens[-1])
        logits = {name: t.mean(-1) for name, t in tokens.items()}
        if self.patch_head is not None:
            maps = self.patch_head(features.feature_map)
            logits['patch'] = self.patch_head.pool(maps)
        return logits

    def loss(self, inputs: Tensor,
             data_samples: List[SegDataSample]) -> Dict[str, Tensor]:
        """Multi-label soft margin on each logit, and the contrast."""
        labels = stack_labels(data_samples)
        features = self.extract_features(inputs, data_samples)
        losses = {
            f'loss_{name}': self.loss_weights[name] *
            F.multilabel_soft_margin_loss(logits, labels)
            for name, logits in self.logits(features).items()
        }
        if self.contrast is not None:
            by_layer = [self.split_modalities(tokens)
                        for tokens in features.class_tokens]
            for name in by_layer[0]:
                losses[f'loss_contrast_{name}'] = self.contrast(
                    [tokens[name] for tokens in by_layer], labels)
        return losses

    def classify(self, inputs: Tensor,
                 data_samples: Optional[List[SegDataSample]] = None
                 ) -> Tensor:
        """Mean of the logits, (B, C)."""
        return self._mean_logits(self.extract_features(inputs, data_samples))

    def _mean_logits(self, features: TokenFeatures) -> Tensor:
        return torch.stack(list(self.logits(features).values())).mean(0)

    def logits_and_maps(self, inputs: Tensor,
                        data_samples: Optional[List[SegDataSample]] = None
                        ) -> Tuple[Tensor, Tensor]:
        """Logits, and fused and refined maps of one scale (B, C, h, w)."""
        features = self.extract_features(
            inputs, data_samples,
            attention_layers=self.test_cfg.get('attention_layers', 6),
            affinity_layers=self.test_cfg.get('affinity_layers',
                                              self.backbone.num_layers))
        maps = self._fuse(features)  # (B, C, N)
        if features.patch_affinity is not None:
            # A patch takes the values of the patches that it attends to.
            for _ in range(self.test_cfg.get('affinity_steps', 1)):
                maps = maps @ features.patch_affinity.transpose(1, 2)
        return self._mean_logits(features), maps.unflatten(2, features.grid)

    def _fuse(self, features: TokenFeatures) -> Tensor:
        """Attention and patch map become one map, (B, C, N)."""
        fusion = self.test_cfg.get('fusion', 'fused')
        assert features.class_attention is not None  # asked for
        attention = torch.stack(
            list(self.split_modalities(features.class_attention).values())
        ).mean(0)  # (B, C, N)
        if fusion == 'attention':
            return attention
        activation = PATCH_ACTIVATIONS[self.test_cfg.get(
            'patch_activation', 'relu')]
        patch = activation(self.patch_head(features.feature_map)).flatten(2)
        if fusion == 'patch':
            return patch
        product = attention * patch
        return product if fusion == 'product' else product.sqrt()


def _build_part(default_type: str, options: Optional[dict], **sizes: Any
                ) -> Any:
    """Build a part with the sizes of the backbone; None switches it off."""
    if options is None:
        return None
    return MODELS.build(dict(dict(type=default_type, **sizes), **options))
