"""Photos with the pseudo masks that a localizer wrote."""
import os.path as osp
from typing import List, Optional

from mmwsss.problems import DataError, Problems
from mmwsss.registry import DATASETS

from .label_sources import image_name
from .mask_headers import check_mask_headers
from .photo_folder import PhotoFolder


@DATASETS.register_module()
class PseudoMaskDataset(PhotoFolder):
    """A data set whose masks lie in a folder of their own.

    Args:
        masks (str): Folder of the masks, as ``tools/gen_pseudo.py`` wrote
            them; relative to the working directory, not to ``data_root``.
        classes_of (str, optional): Registered data set with the same classes,
            e.g. 'VOC12ClsDataset'; else give ``metainfo``.
        check_images (bool): Open the header of every photo and mask at the
            start. Defaults to True.
        **kwargs: See :class:`PhotoFolder` and mmseg's ``BaseSegDataset``.
    """

    def __init__(self, masks: str, classes_of: Optional[str] = None,
                 check_images: bool = True, **kwargs) -> None:
        self.check_images = check_images
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
        if self.ann_file and not osp.isfile(self.ann_file):
            raise DataError(f'no list {self.ann_file}')
        data_list = super().load_data_list()
        problems = Problems(f'photos with pseudo masks from {folder}')
        there = []
        for info in data_list:
            # Masks lie in one folder, wherever their photos are.
            info['seg_map_path'] = osp.join(
                folder, image_name(info['img_path']) + self.seg_map_suffix)
            pair = info['img_path'], info['seg_map_path']
            missing = [path for path in pair if not osp.isfile(path)]
            for path in missing:
                problems.add(f'{path} is missing')
            if not missing:
                there.append(pair)
        if self.check_images:
            check_mask_headers(there, problems)
        problems.raise_if_any()
        return data_list
