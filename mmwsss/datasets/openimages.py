"""OpenImages30k, the data set of single-label dense localization."""
import os.path as osp
from typing import Any, Optional

from mmwsss.registry import DATASETS

from .class_prompts import get_class_prompts
from .image_level import ImageLevelDataset


@DATASETS.register_module()
class OpenImagesDataset(ImageLevelDataset):
    """OpenImages30k as ``tools/dataset_converters/openimages.py`` lays it out.

    Choe et al., "Evaluating Weakly Supervised Object Localization Methods
    Right", CVPR 2020: 100 classes; 29,819 photos for training, 2,500 for
    validation, 5,000 for testing, each of one class.

    Args:
        data_root (str): Folder that the converter wrote.
        classes_file (str): Class names, one a line, under ``data_root``.
            Defaults to 'classes.txt'.
        metainfo (dict, optional): ``classes``, background first, in place of
            the names from the file. Defaults to None.
        **kwargs: See :class:`ImageLevelDataset`.
    """

    def __init__(self, data_root: str, classes_file: str = 'classes.txt',
                 metainfo: Optional[dict] = None, **kwargs: Any) -> None:
        if metainfo is None:
            names = get_class_prompts(osp.join(data_root, classes_file))
            metainfo = dict(classes=('background', *names))
        super().__init__(data_root=data_root, metainfo=metainfo, **kwargs)
