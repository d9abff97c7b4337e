from .batches import FixedBatchSampler
from .coco14 import COCO14ClsDataset, COCO14Dataset
from .digit_scenes import DigitScenesDataset
from .image_level import ImageLevelDataset
from .label_sources import (
    COCOLabels,
    FolderLabels,
    MaskLabels,
    NpyLabels,
    TableLabels,
    VOCXMLLabels,
)
from .openimages import OpenImagesDataset
from .photo_folder import PhotoFolder
from .pseudo_masks import PseudoMaskDataset
from .transforms import *  # noqa: F401,F403
from .voc12 import VOC12ClsDataset, VOC12Dataset

__all__ = [
    'COCO14ClsDataset', 'COCO14Dataset', 'COCOLabels', 'DigitScenesDataset',
    'FixedBatchSampler', 'FolderLabels', 'ImageLevelDataset', 'MaskLabels',
    'NpyLabels', 'OpenImagesDataset', 'PhotoFolder', 'PseudoMaskDataset',
    'TableLabels', 'VOC12ClsDataset', 'VOC12Dataset', 'VOCXMLLabels'
]
