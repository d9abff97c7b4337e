"""Test-time augmentation with a choice of pooling."""
from typing import Any, List

import torch
from mmengine.model import BaseTTAModel
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmwsss.registry import MODELS


@MODELS.register_module()
class WSSSegTTA(BaseTTAModel):
    """Merges class probabilities of several scales and the mirror image.

    Args:
        pool (str): 'max': the largest probability of each class counts, as
            MCTformer and MMCT test (supplement A); 'mean': the average, as
            ToCo and mmseg do. Defaults to 'max'.
        **kwargs: See mmengine's ``BaseTTAModel``.
    """

    def __init__(self, pool: str = 'max', **kwargs: Any) -> None:
        if pool not in ('max', 'mean'):
            raise ValueError(f"WSSSegTTA.pool={pool!r}: use 'max' or 'mean'")
        super().__init__(**kwargs)
        self.pool = pool

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
                scores = view.seg_logits.data.softmax(0)
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
