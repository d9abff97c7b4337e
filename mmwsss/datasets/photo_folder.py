"""Photos of a list, or all photos of a folder, checked at the start."""
import os.path as osp
from typing import Any, Dict, List, Tuple

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.fileio import list_dir_or_file
from mmseg.datasets import BaseSegDataset
from mmseg.datasets.transforms import LoadAnnotations
from torchvision.datasets.folder import IMG_EXTENSIONS

from mmwsss.files.image_lists import (
    existing_form,
    find_listed,
    read_image_list,
)
from mmwsss.files.mask_headers import MaskedPhoto, check_mask_headers
from mmwsss.files.mask_survey import nothing_to_score, survey_masks
from mmwsss.files.masks import MaskClasses, check_class_count
from mmwsss.files.photos import image_name, photo_size
from mmwsss.problems import DataError, Problems
from mmwsss.registry import DATASETS


@DATASETS.register_module()
class PhotoFolder(BaseSegDataset):
    """mmseg's data set, whose every problem is reported when it is built.

    Without a list it takes every photo of the folder: mmseg takes ``.jpg``
    files only and passes over the others in silence. With
    ``data_prefix=dict(img_path=...)`` and nothing else it is what a segmentor
    is applied to: photos without labels or masks.

    Args:
        check_images (bool): Open the header of every photo, and of its mask
            if it has one, at the start; read all masks that the pipeline
            loads, so that a value that is no class shows before any work.
            Defaults to True.
        **kwargs: See mmseg's ``BaseSegDataset``.
    """

    # Whether a mask that is named has to be there.
    needs_masks = True

    def __init__(self, check_images: bool = True, **kwargs: Any) -> None:
        self.check_images = check_images
        super().__init__(**kwargs)

    def load_data_list(self) -> List[dict]:
        """Data infos, as mmseg's.

        Raises:
            DataError: With all that is missing, listed twice, no image, or a
                mask of another size than its photo.
        """
        classes = self.metainfo.get('classes') or ()
        check_class_count(len(classes),
                          f'{type(self).__name__}, metainfo.classes')
        self._check_paths()
        if self.ann_file:
            data_list, lines = self._listed_photos()
        else:
            data_list = self._all_photos()
            lines = list(range(1, len(data_list) + 1))
        for info in data_list:
            if info.get('seg_map_path') is not None:
                info['seg_map_path'] = self.mask_path(info)
                info['num_classes'] = len(classes) or None
        self._check_list(data_list, lines)
        return data_list

    def mask_path(self, info: dict) -> str:
        """Where the mask of a photo lies.

        Args:
            info (dict): Data info with ``img_path`` and ``seg_map_path``.
        """
        return info['seg_map_path']

    def _listed_photos(self) -> Tuple[List[dict], List[int]]:
        """The photos of the list, and the line of each."""
        images = read_image_list(self.ann_file)
        folder = self.data_prefix['img_path']
        return ([self._data_info(*find_listed(image, folder, self.img_suffix))
                 for image in images], [image.line for image in images])

    def _all_photos(self) -> List[dict]:
        folder = self.data_prefix['img_path']
        names = [name for name in list_dir_or_file(
            folder, list_dir=False, recursive=True)
            if name.lower().endswith(IMG_EXTENSIONS)]
        if not names:
            raise DataError(f'{folder}: holds no photo '
                            f'({", ".join(IMG_EXTENSIONS)})')
        return [self._data_info(osp.join(folder, name), osp.splitext(name)[0])
                for name in sorted(names)]

    def _data_info(self, path: str, stem: str) -> dict:
        info = dict(img_path=path, label_map=self.label_map,
                    reduce_zero_label=self.reduce_zero_label, seg_fields=[])
        masks = self.data_prefix.get('seg_map_path')
        if masks is not None:
            info['seg_map_path'] = existing_form(
                masks, stem + self.seg_map_suffix)
        return info

    def _check_paths(self) -> None:
        folder = self.data_prefix.get('img_path') or ''
        if not osp.isdir(folder):
            raise DataError(f'{type(self).__name__}: no image folder {folder}.'
                            f' data_root is {self.data_root!r}; set it with '
                            '--cfg-options data_root=DIR')
        if self.ann_file and not osp.isfile(self.ann_file):
            raise DataError(f'{type(self).__name__}: no list {self.ann_file} '
                            f'(data_root is {self.data_root!r})')

    def _check_list(self, data_list: List[dict], numbers: List[int]) -> None:
        """All photos are there, once each, are images and fit their masks."""
        problems = Problems(self.ann_file or self.data_prefix['img_path'])
        if not data_list:
            problems.add('lists no image')
        lines: Dict[str, int] = {}
        names: Dict[str, str] = {}
        masked: List[MaskedPhoto] = []
        for line, info in zip(numbers, data_list):
            path, mask = info['img_path'], info.get('seg_map_path')
            if path in lines:
                problems.add(f'line {line}: {path} stands there a second time '
                             f'(first: line {lines[path]})')
                continue
            lines[path] = line
            name = image_name(path)
            if name in names:
                problems.add(f'line {line}: {path} and {names[name]} have one '
                             'name, which their maps and masks would share; '
                             'rename one')
            names.setdefault(name, path)
            if mask is not None and self.needs_masks and not osp.isfile(mask):
                problems.add(f'line {line}: no mask {mask}')
            if not osp.isfile(path):
                problems.add(f'line {line}: no image {path}')
            elif self.check_images:
                try:
                    size = photo_size(path)
                except DataError as error:
                    problems.add(f'line {line}: {error}')
                    continue
                if mask is not None and osp.isfile(mask):
                    masked.append((path, mask, size))
        self.check_masks(masked, problems)
        problems.raise_if_any()

    def check_masks(self, photos: List[MaskedPhoto],
                    problems: Problems) -> None:
        """Note masks that cannot belong to their photos.

        Args:
            photos (list[MaskedPhoto]): Photos whose masks are there.
            problems (Problems): Where to note them.
        """
        before = len(problems.lines)
        check_mask_headers(photos, problems)
        read = self.needs_masks or _loads_masks(self.pipeline)
        if (len(problems.lines) > before or not photos or not read
                or not self.metainfo.get('classes')):
            return
        pixels = survey_masks([mask for _, mask, _ in photos],
                              mask_classes(self), problems)
        if len(problems.lines) == before:
            self.check_pixels(pixels, problems)

    def check_pixels(self, pixels: np.ndarray, problems: Problems) -> None:
        """Note what makes masks useless that are right one by one.

        Args:
            pixels (np.ndarray): Of each class in all masks, 255 for ignored
                ones, (256, ).
            problems (Problems): Where to note it.
        """
        line = nothing_to_score(pixels, self.metainfo['classes'])
        if line is not None:
            problems.add(f'{self.data_prefix["seg_map_path"]}: {line}')


def mask_classes(dataset: BaseDataset) -> MaskClasses:
    """What the values in the masks of a data set stand for.

    Args:
        dataset (BaseDataset): Of this project or of mmseg.
    """
    return MaskClasses(len(dataset.metainfo['classes']),
                       getattr(dataset, 'label_map', None),
                       getattr(dataset, 'reduce_zero_label', False))


def _loads_masks(pipeline: Any) -> bool:
    """Whether a pipeline, or one inside it, reads masks."""
    if isinstance(pipeline, LoadAnnotations):
        return True
    if isinstance(pipeline, (list, tuple)):
        return any(map(_loads_masks, pipeline))
    # Compose, what wraps other transforms, TestTimeAug.
    return any(_loads_masks(getattr(pipeline, name))
               for name in ('transforms', 'subroutines')
               if hasattr(pipeline, name))
