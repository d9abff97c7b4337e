from .auto_threshold import AutoThreshold
from .base_scorer import BaseScorer
from .class_subset_iou import ClassSubsetIoU
from .crf_iou import CRFIoU
from .mask_iou import MaskIoU
from .multilabel_map import MultiLabelMAP, average_precision, class_indices
from .pixel_localization import PixelLocalization, localization_histogram
from .scorer_metric import ScorerMetric
from .threshold_sweep import ThresholdSweep

__all__ = [
    'AutoThreshold', 'BaseScorer', 'CRFIoU', 'ClassSubsetIoU', 'MaskIoU',
    'MultiLabelMAP', 'PixelLocalization', 'ScorerMetric', 'ThresholdSweep',
    'average_precision', 'class_indices', 'localization_histogram'
]
