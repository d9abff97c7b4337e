from .class_subset_iou import ClassSubsetIoU
from .map_writer import MapWriter
from .multilabel_map import MultiLabelMAP, average_precision, class_indices

__all__ = [
    'ClassSubsetIoU', 'MapWriter', 'MultiLabelMAP', 'average_precision',
    'class_indices'
]
