"""Localization maps as the input of a later stage."""
import os.path as osp
import zlib
from typing import Optional

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmseg.utils import voc_palette

from mmwsss.files.maps import map_to_mask, read_any_map, resized_maps
from mmwsss.files.masks import read_mask, write_mask
from mmwsss.files.photos import photo_size
from mmwsss.problems import DataError
from mmwsss.registry import REFINERS, TRANSFORMS


@TRANSFORMS.register_module()
class LoadMaps(BaseTransform):
    """Load the maps of an image that an earlier stage wrote.

    Required keys: ``img``, ``map_path`` (see ``ImageLevelDataset.maps``).
    Added keys: ``seed_maps``, float32 (K, H, W) in [0, 1], and
    ``seed_labels``, the K 0-based classes.
    """

    def transform(self, results: dict) -> dict:
        """Load ``results['map_path']``."""
        path, size = results['map_path'], results['img'].shape[:2]
        file = read_any_map(path).sized(size)
        if file.maps.shape[1:] != size == results.get('ori_shape') and (
                file.maps.shape[1:] == photo_size(results['img_path'])):
            # LoadPhoto has made the photo smaller.
            file.maps = resized_maps(file.maps, size)
        if file.maps.shape[1:] != size:
            raise DataError(
                f'{path}: maps of {file.maps.shape[1]} x {file.maps.shape[2]},'
                f' but {results["img_path"]} is {size[0]} x {size[1]}; write '
                'the maps again, or name the folder that belongs to these '
                'photos')
        results['seed_maps'] = file.maps
        results['seed_labels'] = file.labels.astype(np.int64)
        return results


@TRANSFORMS.register_module()
class ConfidentLabels(BaseTransform):
    """Labels where the maps are sure, 255 elsewhere.

    A pixel is a class if that class wins against the strong background of
    ``foreground``, and background if no class wins against the weak one of
    ``background``: IRN's two thresholds, or PSA's two alphas.

    Required keys: those of :class:`LoadMaps` and ``sample_id``. Added keys:
    ``gt_seg_map`` uint8 (H, W), which training crops and flips with the
    photo. Despite its name it is made from maps; no true mask is read.

    Args:
        foreground (dict): Config of a refiner whose maps are above 0.5 where
            a class wins, such as ``DenseCRF``, for the sure classes.
        background (dict): Config of such a refiner for the sure background.
        cache (str, optional): Folder in which labels are kept, under names
            that change with the maps and the settings. Defaults to None:
            none are kept.
    """

    def __init__(self, foreground: dict, background: dict,
                 cache: Optional[str] = None) -> None:
        self.refiners = [REFINERS.build(dict(cfg))
                         for cfg in (foreground, background)]
        # Both refiners, and the files that they read.
        self.settings = ' '.join(
            refiner.fingerprint() for refiner in self.refiners).encode()
        self.cache = cache

    def transform(self, results: dict) -> dict:
        """Add the labels of one image."""
        if self.cache is None:
            labels = self._labels(results)
        else:
            labels = self._cached_labels(self.cache, results)
        results['gt_seg_map'] = labels
        results.setdefault('seg_fields', []).append('gt_seg_map')
        return results

    def _cached_labels(self, folder: str, results: dict) -> np.ndarray:
        digest = zlib.crc32(self.settings)
        for array in (results['seed_labels'], results['seed_maps']):
            digest = zlib.crc32(np.ascontiguousarray(array).data, digest)
        path = osp.join(folder, f'{results["sample_id"]}-{digest:08x}.png')
        if osp.isfile(path):
            return read_mask(path).copy()
        labels = self._labels(results)
        write_mask(path, labels, voc_palette())
        return labels

    def _labels(self, results: dict) -> np.ndarray:
        image = torch.from_numpy(
            results['img'][..., ::-1].copy()).permute(2, 0, 1)
        maps = torch.from_numpy(results['seed_maps'])
        classes = torch.from_numpy(results['seed_labels'])
        sure, possible = (
            map_to_mask(
                refiner(image, maps, classes, results['sample_id']).numpy(),
                results['seed_labels'], 0.5)
            for refiner in self.refiners)
        labels = np.where(sure > 0, sure, np.uint8(255))
        labels[(sure == 0) & (possible == 0)] = 0
        return labels
