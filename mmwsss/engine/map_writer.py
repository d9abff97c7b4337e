"""Maps through the refiners into files, beside the network."""
import os
import os.path as osp
from functools import partial
from typing import Any, Dict, Optional, Sequence

import numpy as np
import torch
from mmengine.config import Config

from mmwsss.files.maps import MAP_DTYPES, resized_maps, write_map
from mmwsss.files.photos import image_name, photo_size, read_photo
from mmwsss.files.work_size import fit_photo, work_size
from mmwsss.parallel.worker_pool import WorkerPool
from mmwsss.problems import DataError
from mmwsss.refiners import RefinerChain


def storage_options(cfg: Config) -> Dict[str, Any]:
    """How a config wants its maps stored; arguments of :class:`MapWriter`.

    Args:
        cfg (Config): With ``map_stride``, ``map_dtype`` and ``max_side``, or
            without.
    """
    return dict(stride=cfg.get('map_stride', 1),
                dtype=cfg.get('map_dtype', 'uint8'),
                max_side=cfg.get('max_side'))


class MapWriter:
    """Refines the maps of images and writes ``out_dir/<name>.npz``.

    Refiners with a device of their own work where :meth:`write` is called;
    what comes after them works in other processes, for which the caller never
    waits unless they fall far behind.

    Args:
        out_dir (str): Folder for the maps.
        refiners (Sequence[dict]): Configs of refiners, applied in this order.
            Defaults to none.
        num_workers (int, optional): Processes that refine; 0 refines in this
            one. Defaults to the number of CPU cores.
        stride (int): Pixels of the image per value stored. Defaults to 1.
        dtype (str): 'uint8' or 'float16'. Defaults to 'uint8'.
        max_side (int, optional): Maps of larger photos are refined and stored
            with this many values on the longer side. Defaults to None: with
            as many as the photo has pixels.
        lenient (bool): Take photos that show signs of damage. Defaults to
            False.

    Raises:
        ValueError: If a setting, or one of a refiner, is wrong.
    """

    def __init__(self,
                 out_dir: str,
                 refiners: Sequence[dict] = (),
                 num_workers: Optional[int] = None,
                 stride: int = 1,
                 dtype: str = 'uint8',
                 max_side: Optional[int] = None,
                 lenient: bool = False) -> None:
        if stride < 1 or dtype not in MAP_DTYPES:
            raise ValueError(f'map_stride={stride}, map_dtype={dtype!r}: give '
                             f'a stride from 1 on and one of {MAP_DTYPES}')
        self.out_dir = out_dir
        self.max_side = max_side
        self.lenient = lenient
        os.makedirs(out_dir, exist_ok=True)
        # Built here, so that a mistake shows before any long work.
        self.here, pooled = RefinerChain(refiners).split()
        workers = os.cpu_count() if num_workers is None else num_workers
        self.pool = WorkerPool(
            partial(_refine_and_write, pooled, lenient,
                    dict(stride=stride, dtype=dtype)),
            (workers or 0) if len(pooled) else 0)

    def write(self, name: str, img_path: str, maps: np.ndarray,
              labels: Sequence[int],
              scores: Optional[np.ndarray] = None) -> None:
        """Take the maps of an image.

        Args:
            name (str): The image's id, which the file is named after.
            img_path (str): The photo.
            maps (np.ndarray): In [0, 1], float32, (K, H, W), of the photo's
                size; with ``max_side`` of that of the smaller photo.
            labels (Sequence[int]): The K 0-based classes.
            scores (np.ndarray, optional): Image-level scores, (C, ).
        """
        size = maps.shape[-2:]
        if self.max_side is not None:
            size = photo_size(img_path)
            maps = resized_maps(maps, work_size(size, self.max_side))
        if len(self.here):
            maps = _refined(self.here, img_path, maps, labels, self.lenient)
        for _ in self.pool.submit(osp.join(self.out_dir, f'{name}.npz'),
                                  img_path, maps, labels, scores, size):
            pass

    def finish(self) -> None:
        """Wait until every map is written; raises what went wrong."""
        for _ in self.pool.finish():
            pass

    def stop(self) -> None:
        """End the processes, whatever maps are not begun."""
        self.pool.stop()


def _refined(refiners: RefinerChain, img_path: str, maps: np.ndarray,
             labels: Sequence[int], lenient: bool) -> np.ndarray:
    photo = fit_photo(read_photo(img_path, lenient), maps.shape[-2:])
    # A copy: torch warns of Pillow's arrays, which cannot be written to.
    image = torch.tensor(photo).permute(2, 0, 1)
    return refiners(image, torch.from_numpy(maps), torch.tensor(labels),
                    image_name(img_path)).numpy()


def _refine_and_write(refiners: RefinerChain, lenient: bool, storage: dict,
                      path: str, img_path: str, maps: np.ndarray,
                      labels: Sequence[int], scores: Optional[np.ndarray],
                      size: Sequence[int]) -> None:
    """What a process does with the maps of one image."""
    if len(refiners):
        maps = _refined(refiners, img_path, maps, labels, lenient)
    folder = osp.dirname(path)
    if not osp.isdir(folder):  # a new one would have no manifest
        raise DataError(f'{folder}: was removed while maps were written to '
                        'it; run the same command again')
    write_map(path, maps, labels, scores, size=tuple(size), **storage)
