"""Photos with the pseudo masks that a localizer wrote."""
import os.path as osp
from typing import Any, List, Optional

import numpy as np

from mmwsss.files.mask_survey import nothing_to_learn
from mmwsss.files.photos import image_name
from mmwsss.files.result_classes import check_result_classes
from mmwsss.problems import DataError, Problems
from mmwsss.registry import DATASETS

from .photo_folder import PhotoFolder


@DATASETS.register_module()
class PseudoMaskDataset(PhotoFolder):
    """A data set whose masks lie in a folder of their own.

    Args:
        masks (str): Folder of the masks, as ``tools/gen_pseudo.py`` wrote
            them; relative to the working directory, not to ``data_root``.
        classes_of (str, optional): Registered data set with the same classes,
            e.g. 'VOC12ClsDataset'. Defaults to None: ``metainfo`` names
            them.
        **kwargs: See :class:`PhotoFolder` and mmseg's ``BaseSegDataset``;
            ``check_images`` reads all masks, so that values that are no
            class, and masks from which nothing can be learned, show before
            the training.
    """

    def __init__(self, masks: str, classes_of: Optional[str] = None,
                 **kwargs: Any) -> None:
        prefix = dict(kwargs.pop('data_prefix', {}),
                      seg_map_path=osp.abspath(masks))
        if classes_of is not None:
            kwargs['metainfo'] = DATASETS.get(classes_of).METAINFO
        super().__init__(data_prefix=prefix, **kwargs)

    def load_data_list(self) -> List[dict]:
        """Data infos; every photo and mask is there, and they fit."""
        folder = self.data_prefix['seg_map_path']
        if not osp.isdir(folder):
            raise DataError(f'no folder of pseudo masks {folder}; write them '
                            'with tools/gen_pseudo.py, or name another one '
                            'with --cfg-options pseudo_masks=DIR')
        check_result_classes(folder, self.metainfo.get('classes') or ())
        return super().load_data_list()

    def mask_path(self, info: dict) -> str:
        """Masks lie in one folder, wherever their photos are."""
        return osp.join(self.data_prefix['seg_map_path'],
                        image_name(info['img_path']) + self.seg_map_suffix)

    def check_pixels(self, pixels: np.ndarray, problems: Problems) -> None:
        """Something can be learned from the masks."""
        line = nothing_to_learn(pixels, self.metainfo['classes'])
        if line is not None:
            problems.add(f'{self.data_prefix["seg_map_path"]}: {line}')
