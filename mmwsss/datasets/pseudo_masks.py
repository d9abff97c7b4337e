"""Photos with the pseudo masks that a localizer wrote."""
import os.path as osp
from concurrent.futures import ThreadPoolExecutor
from typing import Any, List, Optional

import numpy as np

from mmwsss.files.mask_headers import MaskedPhoto
from mmwsss.files.masks import read_mask
from mmwsss.files.photos import image_name
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
            ``check_images`` reads all masks, so that a value that is no class
            shows before the training.
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
        return super().load_data_list()

    def mask_path(self, info: dict) -> str:
        """Masks lie in one folder, wherever their photos are."""
        return osp.join(self.data_prefix['seg_map_path'],
                        image_name(info['img_path']) + self.seg_map_suffix)

    def check_masks(self, photos: List[MaskedPhoto],
                    problems: Problems) -> None:
        """Check sizes and modes; where these are right, values as well."""
        before = len(problems.lines)
        super().check_masks(photos, problems)
        classes = len(self.metainfo.get('classes') or ())
        if len(problems.lines) > before or not classes:
            return
        with ThreadPoolExecutor() as pool:
            paths = [mask for _, mask, _ in photos]
            for path, values in zip(paths, pool.map(
                    lambda path: np.unique(read_mask(path)), paths)):
                wrong = values[(values >= classes) & (values != 255)]
                if len(wrong):
                    problems.add(f'{path}: value {wrong[0]}, but there are '
                                 f'{classes} classes (0..{classes - 1}, 255 '
                                 'is ignored)')
