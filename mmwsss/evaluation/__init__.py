from .class_subset_iou import ClassSubsetIoU
from .crf_iou import CRFIoU
from .map_writer import MapWriter
from .multilabel_map import MultiLabelMAP, average_precision, class_indices
from .pixel_localization import PixelLocalization, localization_histogram

__all__ = [
    'CRFIoU', 'ClassSubsetIoU', 'MapWriter', 'MultiLabelMAP',
    'PixelLocalization', 'average_precision', 'class_indices',
    'localization_histogram'
]
