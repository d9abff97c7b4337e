"""Writing localization maps while the Runner's test loop goes on."""
import os
import os.path as osp
from functools import partial
from typing import Dict, List, Optional, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.evaluator import BaseMetric

from mmwsss.files.maps import MAP_DTYPES, write_map
from mmwsss.files.photos import read_photo
from mmwsss.parallel.worker_pool import WorkerPool
from mmwsss.registry import METRICS, REFINERS


@METRICS.register_module()
class MapWriter(BaseMetric):
    """Writes each sample's ``pred_maps`` to ``out_dir/<sample_id>.npz``.

    Maps of a pipeline that resizes photos come back to the photo's size.

    It is a metric because the Runner hands every test sample, in every
    process of a distributed run, to its metrics. Refinement runs in processes
    beside the network, which never waits for it unless they fall far behind.

    Args:
        out_dir (str): Folder for the maps.
        refiners (Sequence[dict]): Configs of refiners, applied in this order.
            Defaults to none.
        num_workers (int, optional): Processes that refine; 0 refines in this
            one. Defaults to the number of CPU cores.
        stride (int): Pixels of the image per value stored. Defaults to 1.
        dtype (str): 'uint8' or 'float16'. Defaults to 'uint8'.
        collect_device (str): 'cpu' or 'gpu'.
        prefix (str, optional): Unused; part of mmengine's interface.
    """

    default_prefix = 'localization'

    def __init__(self,
                 out_dir: str,
                 refiners: Sequence[dict] = (),
                 num_workers: Optional[int] = None,
                 stride: int = 1,
                 dtype: str = 'uint8',
                 collect_device: str = 'cpu',
                 prefix: Optional[str] = None) -> None:
        super().__init__(collect_device, prefix)
        if stride < 1 or dtype not in MAP_DTYPES:
            raise ValueError(f'map_stride={stride}, map_dtype={dtype!r}: give '
                             f'a stride from 1 on and one of {MAP_DTYPES}')
        self.out_dir = out_dir
        self.storage = dict(stride=stride, dtype=dtype)
        # Built here, so that a mistake shows before any long work.
        built = [REFINERS.build(dict(cfg)) for cfg in refiners]
        workers = os.cpu_count() if num_workers is None else num_workers
        self.pool = WorkerPool(partial(refine_and_write, built),
                               workers if built else 0)

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Refine and write the maps of a batch."""
        for sample in data_samples:
            maps, scores = sample['pred_maps'], None
            if 'pred_label' in sample:
                scores = sample['pred_label']['score'].float().cpu().numpy()
            job = (osp.join(self.out_dir, sample['sample_id'] + '.npz'),
                   sample['img_path'],
                   _at_photo_size(maps['data'], sample['ori_shape']),
                   maps['labels'], scores, self.storage)
            for _ in self.pool.submit(*job):
                pass
            self.results.append(1)

    def evaluate(self, size: int) -> dict:
        """Wait for what is still being refined."""
        for _ in self.pool.finish():
            pass
        return super().evaluate(size)

    def compute_metrics(self, results: List[int]) -> Dict[str, int]:
        """The number of maps written."""
        return dict(maps_written=len(results))


def _at_photo_size(maps: torch.Tensor, size: Sequence[int]) -> np.ndarray:
    """Maps (K, h, w) of a photo that the pipeline has resized, (K, H, W)."""
    maps = maps.float()
    if len(maps) and tuple(maps.shape[1:]) != tuple(size):
        maps = F.interpolate(maps[None], tuple(size), mode='bilinear',
                             align_corners=False, antialias=True)[0]
    return maps.cpu().numpy().reshape(-1, *size)


def refine_and_write(refiners: Sequence, path: str, img_path: str,
                     maps: np.ndarray, labels: Sequence[int],
                     scores: Optional[np.ndarray], storage: dict) -> None:
    """Refine the maps of an image and write their file.

    Args:
        refiners (Sequence): Callables (image, maps, labels) -> maps.
        path (str): The file to write.
        img_path (str): The photo.
        maps (np.ndarray): In [0, 1], (K, H, W).
        labels (Sequence[int]): The K 0-based classes.
        scores (np.ndarray, optional): Image-level scores, (C, ).
        storage (dict): Stride and dtype of the file.
    """
    if refiners:
        image = torch.from_numpy(read_photo(img_path)).permute(2, 0, 1)
        tensor = torch.from_numpy(maps)
        for refiner in refiners:
            tensor = refiner(image, tensor, torch.tensor(labels))
        maps = tensor.clamp(0, 1).numpy()
    write_map(path, maps, labels, scores, **storage)
