"""DigitScenes: real handwritten digits in cluttered little scenes.

A data set that needs no download, for demos and tests: small enough to learn
from scratch on a CPU, and yet a multi-label problem with objects of varying
size and place, occlusion, clutter and exact masks.
"""
from mmwsss.registry import DATASETS

from .image_level import ImageLevelDataset

CLASSES = ('background', *'0123456789')
PALETTE = [[0, 0, 0], [230, 25, 75], [60, 180, 75], [255, 225, 25],
           [0, 130, 200], [245, 130, 48], [145, 30, 180], [70, 240, 240],
           [240, 50, 230], [170, 255, 195], [170, 110, 40]]


@DATASETS.register_module()
class DigitScenesDataset(ImageLevelDataset):
    """DigitScenes, as ``tools/dataset_converters/digit_scenes.py`` writes it.

    Args:
        **kwargs: See :class:`ImageLevelDataset`.
    """
    METAINFO = dict(classes=CLASSES, palette=PALETTE)
