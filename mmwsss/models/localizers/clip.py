"""Localization by a frozen CLIP, without any training."""
from typing import List, NoReturn, Optional, Tuple

from mmseg.structures import SegDataSample
from torch import Tensor

from mmwsss.models.heads.attention_spread import AttentionSpread
from mmwsss.registry import MODELS

from .base import BaseLocalizer, stack_labels


@MODELS.register_module()
class CLIPLocalizer(BaseLocalizer):
    """Maps of the classes that CLIP reads in images, training-free.

    CLIP-ES (CVPR 2023) with :class:`TextGradCAM`, the static maps of ExCEL
    (CVPR 2025) with :class:`TextSurgery`. Only image-level labels are read.
    All weights are the encoder's pre-trained ones: ``tools/gen_pseudo.py``
    works without a checkpoint.

    Args:
        backbone (dict): Config of a :class:`CLIPViT` with its weights.
        data_preprocessor (dict): Config of the data preprocessor.
        class_evidence (dict): Config of :class:`TextGradCAM` or
            :class:`TextSurgery`.
        num_classes (int): C, without background.
        spread (dict, optional): Options of :class:`AttentionSpread`, along
            which the maps spread. Defaults to None: they do not.
        test_cfg (dict, optional): See :class:`BaseLocalizer`.
        init_cfg (dict, optional): See mmengine's ``BaseModule``.
    """

    def __init__(self,
                 backbone: dict,
                 data_preprocessor: dict,
                 class_evidence: dict,
                 num_classes: int,
                 spread: Optional[dict] = None,
                 test_cfg: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(data_preprocessor, test_cfg, init_cfg)
        self.num_classes = num_classes
        self.backbone = MODELS.build(backbone)
        self.class_evidence = MODELS.build(
            dict(class_evidence, num_classes=num_classes))
        self.spread = None if spread is None else AttentionSpread(**spread)

    def loss(self, inputs: Tensor,
             data_samples: List[SegDataSample]) -> NoReturn:
        """There is none.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError('a CLIPLocalizer has nothing to learn; '
                                  'tools/gen_pseudo.py writes its maps')

    def classify(self, inputs: Tensor,
                 data_samples: Optional[List[SegDataSample]] = None
                 ) -> Tensor:
        """Logits (B, C) of the probabilities among classes and background."""
        features = self.class_evidence.encode(self.backbone, inputs)
        return self.class_evidence.classify(self.backbone, features).logit(
            eps=1e-6)

    def logits_and_maps(self, inputs: Tensor,
                        data_samples: Optional[List[SegDataSample]] = None
                        ) -> Tuple[Tensor, Tensor]:
        """Logits, and maps in [0, 1] of the classes present, (B, C, h, w)."""
        onehot = None
        if data_samples is not None and 'gt_label' in data_samples[0]:
            onehot = stack_labels(data_samples)
        evidence, spread = self.class_evidence, self.spread
        features = evidence.encode(self.backbone, inputs,
                                   spread.layers if spread else 0)
        maps, attention = evidence(self.backbone, features, onehot)
        if spread:
            maps = spread(maps, attention)
        shown = evidence.classify(self.backbone, features)
        return shown.logit(eps=1e-6), maps
