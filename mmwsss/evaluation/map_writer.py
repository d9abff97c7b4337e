"""Writing localization maps while the Runner's test loop goes on."""
import os
import os.path as osp
import threading
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from typing import Deque, Dict, List, Optional, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.evaluator import BaseMetric

from mmwsss.datasets.map_files import MAP_DTYPES, write_map
from mmwsss.datasets.transforms import read_photo
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
        # Built here too, so that a mistake shows before any long work.
        self.refiners = [REFINERS.build(dict(cfg)) for cfg in refiners]
        workers = os.cpu_count() if num_workers is None else num_workers
        self.pool: Optional[ProcessPoolExecutor] = None
        if self.refiners and workers:
            self.pool = ProcessPoolExecutor(
                workers, get_context('spawn'), initializer=_start_worker,
                initargs=(self.refiners, ))
        self.waiting: Deque[Future] = deque()
        self.most_waiting = 4 * workers

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
            if self.pool is None:
                refine_and_write(self.refiners, *job)
            else:
                self.waiting.append(self.pool.submit(_work, job))
                self._wait(self.most_waiting)
            self.results.append(1)

    def _wait(self, most: int) -> None:
        """Wait until at most so many jobs are open; raises their errors."""
        while len(self.waiting) > most:
            self.waiting.popleft().result()

    def evaluate(self, size: int) -> dict:
        """Wait for what is still being refined."""
        self._wait(0)
        if self.pool is not None:
            self.pool.shutdown()
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


_worker_refiners: Sequence = ()


def _start_worker(refiners: Sequence) -> None:
    """One thread a process: the processes are the parallelism."""
    global _worker_refiners
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    _worker_refiners = refiners


def _end_with_parent() -> None:
    """A killed parent cannot stop its workers: they look after it."""
    parent_process().join()
    os._exit(1)


def _work(job: tuple) -> None:
    refine_and_write(_worker_refiners, *job)
