"""Test-time augmentation with a choice of pooling."""
from typing import Any, List

import torch
import torch.nn.functional as F
from mmengine.model import BaseTTAModel
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import Tensor

from mmwsss.registry import MODELS


@MODELS.register_module()
class WSSSegTTA(BaseTTAModel):
    """Merges class probabilities of several scales and the mirror image.

    Args:
        pool (str): 'max': the largest probability of each class counts, as
            MCTformer and MMCT test (supplement A); 'mean': the average, as
            ToCo and mmseg do. Defaults to 'max'.
        tags_only (bool): Only classes that an image's labels name
            (``gt_label``), and the background, can win. Defaults to False.
        **kwargs: See mmengine's ``BaseTTAModel``.
    """

    def __init__(self, pool: str = 'max', tags_only: bool = False,
                 **kwargs: Any) -> None:
        if pool not in ('max', 'mean'):
            raise ValueError(f"WSSSegTTA.pool={pool!r}: use 'max' or 'mean'")
        super().__init__(**kwargs)
        self.pool = pool
        self.tags_only = tags_only

    def merge_preds(self, data_samples_list: List[List[SegDataSample]]
                    ) -> List[SegDataSample]:
        """One prediction an image.

        ``seg_logits`` of the result are logarithms of the pooled
        probabilities, so that their softmax is what a CRF starts from.
        """
        merged = []
        for views in data_samples_list:
            total = torch.zeros_like(views[0].seg_logits.data)  # (C, H, W)
            for view in views:
                scores = self._logits(view).softmax(0)
                if self.pool == 'max':
                    total = torch.maximum(total, scores)
                else:
                    total += scores / len(views)
            sample = views[0]
            sample.set_data(dict(
                seg_logits=PixelData(data=total.clamp(min=1e-12).log()),
                pred_sem_seg=PixelData(data=total.argmax(0, keepdim=True))))
            merged.append(sample)
        return merged

    def _logits(self, view: SegDataSample) -> Tensor:
        """Of the classes that can win; minus infinity for the others."""
        logits = view.seg_logits.data
        if not self.tags_only:
            return logits
        tagged = F.pad(view.gt_label.label_onehot, (1, 0), value=1.)  # (C, )
        absent = tagged.to(logits.device)[:, None, None] == 0
        return logits.masked_fill(absent, -torch.inf)
