"""IoU of a segmentor's masks after a dense CRF."""
from collections import deque
from functools import partial
from typing import Any, Deque, Iterable, Optional, Sequence

import numpy as np
import torch

from mmwsss.files.photos import read_photo
from mmwsss.files.work_size import fit_photo
from mmwsss.ops import unary_from_probabilities
from mmwsss.parallel.worker_pool import WorkerPool
from mmwsss.refiners.dense_crf import crf_backend
from mmwsss.registry import METRICS

from .class_subset_iou import ClassSubsetIoU


@METRICS.register_module()
class CRFIoU(ClassSubsetIoU):
    """``ClassSubsetIoU`` of the masks after a dense CRF.

    The CRF starts from the softmax of ``seg_logits`` and runs in processes
    beside the network.

    Args:
        crf (dict, optional): Options of :func:`mmwsss.ops.dense_crf`, and
            ``backend``, see :class:`~mmwsss.refiners.DenseCRF`.
        min_score (float): Classes that are nowhere as probable as this are
            left out, which saves most of the time. Defaults to 0.01.
        num_workers (int): Processes; 0, the default, works in this one.
        **kwargs: See :class:`ClassSubsetIoU`.
    """

    def __init__(self,
                 crf: Optional[dict] = None,
                 min_score: float = 0.01,
                 num_workers: int = 0,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        options = dict(crf or {})
        # Found here, so that a mistake shows before any long work.
        infer = partial(crf_backend(options.pop('backend', 'auto')),
                        **options)
        self.min_score = min_score
        self.pool = WorkerPool(partial(crf_mask, infer), num_workers)
        self.open: Deque[dict] = deque()

    def process(self, data_batch: dict,
                data_samples: Sequence[dict]) -> None:
        """Refine and score each sample's prediction."""
        for sample in data_samples:
            scores = sample['seg_logits']['data'].float().softmax(0)
            kept = scores.amax((1, 2)) >= self.min_score
            self.open.append({
                key: sample[key] for key in ('gt_sem_seg', 'img_path')
                if key in sample})
            self._take(self.pool.submit(
                sample['img_path'], scores[kept].cpu().numpy(),
                kept.nonzero().flatten().cpu().numpy()))

    def _take(self, masks: Iterable[np.ndarray]) -> None:
        for mask in masks:
            self.take(torch.from_numpy(mask), self.open.popleft())

    def evaluate(self, size: int) -> dict:
        """Wait for what is still being refined."""
        self._take(self.pool.finish())
        return super().evaluate(size)


def crf_mask(infer: partial, img_path: str, scores: np.ndarray,
             classes: np.ndarray) -> np.ndarray:
    """The mask of an image after a CRF.

    Args:
        infer (Callable): ``dense_crf`` with its options.
        img_path (str): The photo.
        scores (np.ndarray): Probabilities of K classes, (K, H, W).
        classes (np.ndarray): Which they are, (K,).

    Returns:
        np.ndarray: Classes, (H, W).
    """
    if len(classes) == 1:
        return np.full(scores.shape[1:], classes[0])
    # The pipeline has taken the photo before.
    photo = fit_photo(read_photo(img_path, lenient=True), scores.shape[1:])
    # A copy: torch warns of Pillow's arrays, which cannot be written to.
    image = torch.tensor(photo).permute(2, 0, 1)
    unary = unary_from_probabilities(torch.from_numpy(scores))
    return classes[infer(image, unary).argmax(0).numpy()]
