"""mmseg's IoU with the mean taken over chosen classes."""
import os.path as osp
from typing import Any, Dict, List, Optional, Sequence, Union

import numpy as np
import torch
from mmseg.evaluation import IoUMetric
from torch import Tensor

from mmwsss.files.mask_survey import nothing_to_score
from mmwsss.files.masks import IGNORED, write_mask
from mmwsss.files.photos import photo_size
from mmwsss.files.work_size import fit_mask
from mmwsss.ops.threshold_sweep import PIXELS_AT_ONCE
from mmwsss.problems import DataError
from mmwsss.registry import METRICS

from .multilabel_map import class_indices
from .true_masks import true_mask


@METRICS.register_module()
class ClassSubsetIoU(IoUMetric):
    """``mIoU-N``: mean IoU over N chosen classes, in per cent.

    For validation sets in which some classes hardly occur. All pixels count:
    one predicted as a class outside the subset is an error. mmseg's own table
    and metrics over all classes are reported as well.

    Args:
        classes (str | Sequence[str]): Class names, or 'all'.
        field (str): Field of the samples that holds the prediction. Defaults
            to 'pred_sem_seg'; with a ``prefix`` for each, the masks of
            several fields are scored side by side.
        output_dir (str, optional): Predicted masks are written there, as
            palette PNGs in the data set's colours; with ``format_only=True``
            nothing is scored. Defaults to None: nowhere.
        **kwargs: See mmseg's ``IoUMetric``.
    """

    def __init__(self, classes: Union[str, Sequence[str]] = 'all',
                 field: str = 'pred_sem_seg',
                 output_dir: Optional[str] = None,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.masks_dir = output_dir
        self.classes = classes
        self.field = field
        # Name -> IoU of the chosen classes, once all images are scored.
        self.class_iou: Dict[str, float] = {}

    def process(self, data_batch: dict,
                data_samples: Sequence[dict]) -> None:
        """Score the field of each sample."""
        for sample in data_samples:
            self.take(sample[self.field]['data'].squeeze(0), sample)

    def take(self, mask: Tensor, sample: dict) -> None:
        """Score a predicted mask, write it where that is asked for.

        Args:
            mask (Tensor): Classes, (H, W); of a photo that was made smaller
                (``max_side``) it is brought to the photo's size.
            sample (dict): With ``gt_sem_seg`` and ``img_path``.
        """
        size = tuple(sample['gt_sem_seg']['data'].shape[-2:]
                     if 'gt_sem_seg' in sample else
                     photo_size(sample['img_path']))
        if tuple(mask.shape) != size:
            values = fit_mask(mask.cpu().numpy().astype(np.uint8), size)
            mask = torch.tensor(values, device=mask.device)
        if self.format_only:  # mmengine warns of a metric without results
            self.results.append(None)
        else:
            count = len(self.dataset_meta['classes'])
            truth = true_mask(sample, mask.shape, count, self.ignore_index)
            # In rows: mmseg counts with some 50 bytes a pixel.
            rows = max(1, PIXELS_AT_ONCE // mask.shape[1])
            parts = zip(mask.split(rows), truth.to(mask.device).split(rows))
            areas = [self.intersect_and_union(
                part.long(), known, count, self.ignore_index)
                for part, known in parts]
            self.results.append(tuple(map(sum, zip(*areas))))
        if self.masks_dir is not None:
            name = osp.splitext(osp.basename(sample['img_path']))[0]
            write_mask(osp.join(self.masks_dir, name + '.png'),
                       mask.cpu().numpy(),
                       self.dataset_meta['palette'])

    def compute_metrics(self, results: List[tuple]) -> Dict[str, float]:
        """Mmseg's metrics plus ``mIoU-N``; fills :attr:`class_iou`.

        None at all with ``format_only``.

        Raises:
            DataError: If no true mask has a known pixel, or all of them are
                background.
        """
        if self.format_only:
            return {}
        if results:
            self._check_truth(sum(areas[3] for areas in results))
        metrics = super().compute_metrics(results)
        if not results:
            return metrics
        names = self.dataset_meta['classes']
        intersection, union = (sum(column)
                               for column in list(zip(*results))[:2])
        iou = 100 * intersection / union
        chosen = class_indices(self.classes, names)
        self.class_iou = {names[i]: iou[i].item() for i in chosen}
        if self.classes != 'all':
            metrics[f'mIoU-{len(chosen)}'] = iou[chosen].nanmean().item()
        return metrics

    def _check_truth(self, areas: Tensor) -> None:
        """Raise unless the true masks have something to score."""
        pixels = np.zeros(256)
        pixels[:len(areas)] = areas.cpu().numpy()
        pixels[IGNORED] = True  # whether there are some is not known here
        line = nothing_to_score(pixels, self.dataset_meta['classes'])
        if line is not None:
            raise DataError(f'{line}; set test_evaluator.format_only=True to '
                            'predict only')
