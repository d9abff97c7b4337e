from .class_subset_iou import ClassSubsetIoU
from .crf_iou import CRFIoU
from .map_writer import MapWriter
from .multilabel_map import MultiLabelMAP, average_precision, class_indices

__all__ = [
    'CRFIoU', 'ClassSubsetIoU', 'MapWriter', 'MultiLabelMAP',
    'average_precision', 'class_indices'
]
