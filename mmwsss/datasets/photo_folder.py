"""Photos of a list, or all photos of a folder."""
import os.path as osp
from typing import List

from mmengine.fileio import list_dir_or_file
from mmseg.datasets import BaseSegDataset
from torchvision.datasets.folder import IMG_EXTENSIONS

from mmwsss.problems import DataError
from mmwsss.registry import DATASETS


@DATASETS.register_module()
class PhotoFolder(BaseSegDataset):
    """mmseg's data set; without a list it takes every photo of the folder.

    mmseg takes ``.jpg`` files only and passes over the others in silence.
    With ``data_prefix=dict(img_path=...)`` and nothing else it is what a
    segmentor is applied to: photos without labels or masks.

    Args:
        **kwargs: See mmseg's ``BaseSegDataset``.
    """

    def load_data_list(self) -> List[dict]:
        """Data infos, as mmseg's.

        Raises:
            DataError: If there is no such folder, or no photo in it.
        """
        if self.ann_file:
            return super().load_data_list()
        folder = self.data_prefix.get('img_path') or ''
        if not osp.isdir(folder):
            raise DataError(f'{type(self).__name__}: no image folder {folder} '
                            f'(data_root is {self.data_root!r})')
        names = [name for name in list_dir_or_file(
            folder, list_dir=False, recursive=True)
            if name.lower().endswith(IMG_EXTENSIONS)]
        if not names:
            raise DataError(f'{folder}: holds no photo '
                            f'({", ".join(IMG_EXTENSIONS)})')
        masks = self.data_prefix.get('seg_map_path')
        return [self._data_info(folder, name, masks)
                for name in sorted(names)]

    def _data_info(self, folder: str, name: str, masks: str) -> dict:
        info = dict(img_path=osp.join(folder, name), label_map=self.label_map,
                    reduce_zero_label=self.reduce_zero_label, seg_fields=[])
        if masks is not None:
            info['seg_map_path'] = osp.join(
                masks, osp.splitext(name)[0] + self.seg_map_suffix)
        return info
