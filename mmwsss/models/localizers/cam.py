"""Class activation maps of a CNN."""
from typing import Dict, List, Optional, Tuple

import torch.nn.functional as F
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from mmwsss.registry import MODELS

from .base import BaseLocalizer, stack_labels


@MODELS.register_module()
class CAMLocalizer(BaseLocalizer):
    """Global average pooling and a linear classifier; its responses are maps.

    Zhou et al., "Learning Deep Features for Discriminative Localization",
    CVPR 2016. On ``ResNet38d`` it is PSA's classifier, on ``ResNetTaps``
    IRN's.

    Args:
        backbone (dict): Config of a backbone with ``tap_channels`` and
            ``tap_strides``; its last feature map is used.
        data_preprocessor (dict): Config of the data preprocessor.
        num_classes (int): C, without background.
        dropout (float): Probability that a channel is dropped before the
            pooling. Defaults to 0.
        test_cfg (dict, optional): See :class:`BaseLocalizer`.
        init_cfg (dict, optional): See mmengine's ``BaseModule``.
    """

    def __init__(self,
                 backbone: dict,
                 data_preprocessor: dict,
                 num_classes: int,
                 dropout: float = 0.,
                 test_cfg: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(data_preprocessor, test_cfg, init_cfg)
        self.num_classes = num_classes
        self.backbone = MODELS.build(backbone)
        self.dropout = nn.Dropout2d(dropout)
        self.classifier = nn.Conv2d(self.backbone.tap_channels[-1],
                                    num_classes, 1, bias=False)

    def init_weights(self) -> None:
        """As published: Xavier for the classifier."""
        super().init_weights()
        nn.init.xavier_uniform_(self.classifier.weight)

    def classify(self, inputs: Tensor,
                 data_samples: Optional[List[SegDataSample]] = None
                 ) -> Tensor:
        """Class logits (B, C)."""
        return self._pool(self.backbone(inputs)[-1])

    def _pool(self, features: Tensor) -> Tensor:
        pooled = self.dropout(features).mean((2, 3), keepdim=True)
        return self.classifier(pooled).flatten(1)

    def logits_and_maps(self, inputs: Tensor,
                        data_samples: Optional[List[SegDataSample]] = None
                        ) -> Tuple[Tensor, Tensor]:
        """Logits, and the classifier's rectified responses (B, C, h, w)."""
        features = self.backbone(inputs)[-1]
        return self._pool(features), F.relu(self.classifier(features))

    def loss(self, inputs: Tensor,
             data_samples: List[SegDataSample]) -> Dict[str, Tensor]:
        """Multi-label soft margin loss."""
        return dict(loss_cls=F.multilabel_soft_margin_loss(
            self.classify(inputs), stack_labels(data_samples)))
