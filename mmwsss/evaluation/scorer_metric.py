"""Scores of maps while a network is trained."""
from typing import Dict, List, Optional, Sequence

import torch
from mmengine.evaluator import BaseMetric
from torch import Tensor

from mmwsss.files.maps import MapFile
from mmwsss.registry import METRICS, SCORERS

from .base_scorer import BaseScorer
from .true_masks import true_mask


@METRICS.register_module()
class ScorerMetric(BaseMetric):
    """A scorer of maps as a metric of the Runner.

    Reads ``pred_maps``, which ``val_cfg=dict(type='LocalizeValLoop')``
    provides, and ``gt_sem_seg``. Reports the scorer's single numbers.

    Args:
        scorer (dict): Config of a scorer without its classes, e.g.
            ``dict(type='PixelLocalization')``.
        score_classes (str | Sequence[str]): See :class:`BaseScorer`.
        collect_device (str): Where results of several processes are
            collected, 'cpu' or 'gpu'. Defaults to 'cpu'.
        prefix (str, optional): Prefix of the scores' names. Defaults to
            'localization'.
    """

    default_prefix = 'localization'

    def __init__(self,
                 scorer: dict,
                 score_classes: object = 'all',
                 collect_device: str = 'cpu',
                 prefix: Optional[str] = None) -> None:
        super().__init__(collect_device, prefix)
        self.results: List[Tensor] = []
        self.options = dict(scorer, score_classes=score_classes)

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Count the images of a batch."""
        scorer = self._scorer()
        for sample in data_samples:
            maps = sample['pred_maps']
            values = maps['data'].float().cpu().numpy()
            file = MapFile(torch.tensor(maps['labels']).numpy(), values,
                           values.shape[1:])
            truth = true_mask(sample, values.shape[1:], len(scorer.classes))
            counts = scorer.count(file, truth.cpu())
            # One sum for all images: a sweep over many classes is large.
            self.results = [sum(self.results, counts)]

    def compute_metrics(self, results: List[Tensor]) -> Dict[str, float]:
        """The scorer's report, without what is no single number."""
        report = self._scorer().report(torch.stack(results).sum(0))
        return {name: value for name, value in report.items()
                if isinstance(value, (int, float))}

    def _scorer(self) -> BaseScorer:
        # The classes are known once the Runner has built the data set.
        return SCORERS.build(dict(self.options,
                                  classes=self.dataset_meta['classes']))
