"""PASCAL VOC 2012 with image-level labels."""
from mmseg.datasets import PascalVOCDataset

from mmwsss.registry import DATASETS

from .image_level import ImageLevelDataset
from .photo_folder import PhotoFolder


@DATASETS.register_module()
class VOC12ClsDataset(ImageLevelDataset):
    """VOC 2012 layout: ``JPEGImages``, ``SegmentationClassAug``, lists.

    The lists are ``ImageSets/Segmentation/train_aug.txt`` (10,582 images) and
    ``val.txt`` (1,449); an image id a line.

    Args:
        **kwargs: See :class:`ImageLevelDataset`.
    """
    METAINFO = PascalVOCDataset.METAINFO


@DATASETS.register_module()
class VOC12Dataset(PhotoFolder):
    """The same photos with their masks only, to test segmentors on.

    Args:
        **kwargs: See :class:`PhotoFolder`.
    """
    METAINFO = PascalVOCDataset.METAINFO
