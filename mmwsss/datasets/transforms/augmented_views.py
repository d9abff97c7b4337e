"""Views of a photo for test-time augmentation, with one true mask."""
import copy
from typing import Any, Dict, List

import mmcv.transforms as mmcv
import torch

from mmwsss.registry import TRANSFORMS


@TRANSFORMS.register_module()
class TestTimeAug(mmcv.TestTimeAug):
    """mmcv's ``TestTimeAug`` that keeps the true mask of the first view only.

    The others have the same one, of the photo's own size and with 64 bits a
    pixel. For a photo of a camera these masks, on their way from a worker,
    take more memory than the network.

    Args:
        transforms (list[list[dict]]): See mmcv's.
    """

    def transform(self, results: dict) -> dict:
        """All views; ``data_samples`` of the first has the mask, uint8."""
        views: List[Dict[str, Any]] = []
        for subroutine in self.subroutines:
            view = subroutine(copy.deepcopy(results))
            sample = view.get('data_samples')
            if sample is not None and 'gt_sem_seg' in sample:
                truth = sample.gt_sem_seg
                truth.data = truth.data.to(torch.uint8)
                if views:
                    del sample.gt_sem_seg
            views.append(view)
        return {key: [view[key] for view in views] for key in views[0]}
