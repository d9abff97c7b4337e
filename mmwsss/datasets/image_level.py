"""A segmentation data set seen through image-level labels."""
import os.path as osp
from typing import Any, List, Optional

import numpy as np

from mmwsss.files.maps import UNKNOWN_SIZE, map_size
from mmwsss.files.photos import image_name, photo_size
from mmwsss.files.result_classes import check_result_classes
from mmwsss.problems import DataError, Problems
from mmwsss.registry import DATASETS, LABEL_SOURCES

from .image_embeddings import read_image_embeddings
from .photo_folder import PhotoFolder


@DATASETS.register_module()
class ImageLevelDataset(PhotoFolder):
    """Images, image-level labels and, for evaluation only, masks.

    ``metainfo['classes']`` starts with 'background'; labels cover the C
    classes after it. Every problem of the list, the images and the labels is
    reported when the data set is built, before any training.

    An image's ``sample_id``, the name of its maps and masks, is its file name
    without folder and extension; two images must not share it.

    Args:
        label_source (dict): Config of a label source, e.g.
            ``dict(type='TableLabels', file='labels.csv')``.
        image_embeddings (str, optional): ``.npz`` of CLIP image embeddings,
            written by ``tools/extract_image_embeddings.py``; the path is not
            under ``data_root``. Defaults to None.
        maps (str, optional): Folder of maps that an earlier stage wrote, one
            ``.npz`` (or ``.npy`` dict) an image; not under ``data_root``.
            Defaults to None.
        **kwargs: See :class:`PhotoFolder` and mmseg's ``BaseSegDataset``.
    """

    needs_masks = False  # they are for scores only

    def __init__(self,
                 label_source: dict,
                 image_embeddings: Optional[str] = None,
                 maps: Optional[str] = None,
                 **kwargs: Any) -> None:
        self.label_source = LABEL_SOURCES.build(label_source)
        self.image_embeddings = image_embeddings
        self.maps = maps
        super().__init__(**kwargs)

    def load_data_list(self) -> List[dict]:
        """Data infos, each with ``sample_id`` and ``gt_label`` (C,)."""
        data_list = super().load_data_list()
        classes = self.metainfo.get('classes', ())
        if len(classes) < 2 or classes[0] != 'background':
            raise DataError(
                f'{type(self).__name__}: metainfo.classes must be '
                f"('background', class 1, ...), got {tuple(classes)}")
        # Other lists may have photos that this one lacks, a folder has all.
        self.label_source.left_out = None if self.ann_file else (
            self.leave_out | set(self.bad))
        labels = self.label_source.load(data_list, list(classes[1:]),
                                        self.data_root or '')
        for info, label in zip(data_list, labels):
            info['sample_id'] = image_name(info['img_path'])
            info['gt_label'] = label
        if self.maps is not None:
            self._find_maps(self.maps, data_list)
        if self.image_embeddings is not None:
            vectors = read_image_embeddings(
                self.image_embeddings,
                [info['sample_id'] for info in data_list])
            for info, vector in zip(data_list, vectors):
                info['image_embedding'] = vector
        return data_list

    def _find_maps(self, folder: str, data_list: List[dict]) -> None:
        """Note each image's ``map_path``; all of them are there."""
        if not osp.isdir(folder):
            raise DataError(f'no folder of maps {folder}; write them with '
                            'tools/gen_pseudo.py, or name another one with '
                            '--maps DIR (training: --cfg-options maps=DIR)')
        check_result_classes(folder, self.metainfo['classes'])
        problems = Problems(f'maps in {folder}')
        for info in data_list:
            stem = osp.join(folder, info['sample_id'])
            info['map_path'] = stem + (
                '.npy' if osp.isfile(stem + '.npy') else '.npz')
            if not osp.isfile(info['map_path']):
                problems.add(f'no {info["map_path"]} for {info["img_path"]}')
            elif self.check_images:
                try:
                    size = map_size(info['map_path'])
                except DataError as error:
                    problems.add(str(error))
                    continue
                photo = photo_size(info['img_path'])
                if size not in (photo, UNKNOWN_SIZE):
                    problems.add(f'{info["map_path"]} is for a photo of '
                                 f'{size[0]} x {size[1]}, but '
                                 f'{info["img_path"]} is '
                                 f'{photo[0]} x {photo[1]}')
        problems.raise_if_any()

    @property
    def labels(self) -> np.ndarray:
        """Multi-hot labels of all images, (len(self), C)."""
        return np.stack([self.get_data_info(i)['gt_label']
                         for i in range(len(self))])
