"""MS COCO 2014 with its 80 thing classes."""
from typing import Any, Dict, List

import numpy as np

from mmwsss.registry import DATASETS

from .class_prompts import COCO80
from .image_level import ImageLevelDataset
from .photo_folder import PhotoFolder


def voc_colours(count: int) -> List[List[int]]:
    """The first of PASCAL VOC's 256 colours, which continue its palette.

    Args:
        count (int): How many, background included; at most 256.

    Returns:
        list[list[int]]: RGB, 0..255.
    """
    # VOC's development kit deals the bits of an index out to red, green and
    # blue in turn, the lowest bits first and to the highest places.
    bits = np.unpackbits(np.arange(count, dtype=np.uint8)[:, None], axis=1,
                         bitorder='little')  # (count, 8)
    places = np.array([128, 64, 32])
    return np.stack([bits[:, shift::3] @ places[:len(bits[0, shift::3])]
                     for shift in range(3)], axis=1).tolist()


METAINFO: Dict[str, Any] = dict(
    classes=('background', *COCO80), palette=voc_colours(81))


@DATASETS.register_module()
class COCO14ClsDataset(ImageLevelDataset):
    """COCO 2014, as ``tools/dataset_converters/coco14.py`` completes it.

    ``train2014/COCO_train2014_000000000009.jpg``, masks of the same names in
    ``SegmentationClass/train2014``, ``ImageSets/train2014.txt`` (82,081
    images) and ``val2014.txt`` (40,137), ``labels_train2014.csv``.

    Args:
        **kwargs: See :class:`ImageLevelDataset`.
    """
    METAINFO = METAINFO


@DATASETS.register_module()
class COCO14Dataset(PhotoFolder):
    """The same photos with their masks only, to test segmentors on.

    Args:
        **kwargs: See :class:`PhotoFolder`.
    """
    METAINFO = METAINFO
