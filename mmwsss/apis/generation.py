"""From a localizer to maps, masks and scores on disk."""
import copy
import json
import os.path as osp
from functools import partial
from typing import List, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.dist import is_main_process
from mmengine.logging import print_log
from torch import Tensor

from mmwsss.datasets.batches import same_size_batches
from mmwsss.evaluation.map_writer import refine_and_write
from mmwsss.evaluation.multilabel_map import average_precision, class_indices
from mmwsss.files.atomic import require_writable, write_atomically
from mmwsss.files.checkpoints import load_weights
from mmwsss.files.maps import (
    MAP_DICT_LAYOUTS,
    map_to_mask,
    read_any_map,
    read_map,
    write_map_dict,
)
from mmwsss.files.masks import read_mask, write_mask
from mmwsss.files.photos import photo_size, read_photo
from mmwsss.ops import SweepResult, sweep_histogram, threshold_sweep
from mmwsss.parallel.distributed import (
    cpu_share,
    on_main_process,
    process_group,
)
from mmwsss.parallel.progress import (
    ImageProgressHook,
    in_processes,
    in_threads,
    progress_bar,
)
from mmwsss.problems import ConfigError, DataError, unknown_name
from mmwsss.registry import DATASETS, REFINERS, forget_pretrained
from mmwsss.visualization import (
    class_table,
    draw_threshold_curve,
    heat_overlay,
    mask_overlay,
    picture_sheet,
    write_picture,
)

from .manifest import claim, describe_source
from .training import build_runner

SPLITS = ('train', 'val', 'test')
Threshold = Union[None, float, Tuple[float, float]]


def generate_pseudo_labels(cfg: Config,
                           checkpoint: Optional[str],
                           out_dir: str,
                           split: str = 'train',
                           threshold: Threshold = None,
                           overwrite: bool = False,
                           export_npy: Optional[str] = None,
                           launcher: str = 'none',
                           maps: Optional[str] = None) -> dict:
    """Run a localizer over a split; write maps, masks and scores.

    Written to ``out_dir``: ``maps/*.npz``, ``masks/*.png``, ``scores.json``,
    ``threshold_curve.png`` and ``overlays.png``. Images whose maps are there
    already, from the same checkpoint and settings, are skipped.

    Args:
        cfg (Config): Config of the localizer.
        checkpoint (str, optional): Path or URL of its weights. None runs no
            network: ``maps`` go through the refiners of the config.
        out_dir (str): Where to write.
        split (str): 'train', 'val', 'test', or the path of a list of image
            ids (under ``data_root``) with the training set's folders.
        threshold (float | tuple, optional): Background threshold; two
            numbers (low, high) leave what lies between them as 255. Defaults
            to None: the best on the images that have masks.
        overwrite (bool): Remove maps of another checkpoint or other settings
            instead of stopping.
        export_npy (str, optional): Also write the maps to ``npy/*.npy`` for
            other scripts: 'mctformer' or 'irn', see ``write_map_dict``.
        launcher (str): 'none', 'pytorch', 'slurm' or 'mpi'.
        maps (str, optional): Folder of the images' maps, for use without a
            checkpoint: ``.npz``, or ``.npy`` dicts of other scripts.

    Returns:
        dict: What ``scores.json`` holds.
    """
    require_writable(out_dir)
    if (checkpoint is None) == (maps is None):
        raise ConfigError('give either the checkpoint of a network, or '
                          'without one the folder of maps to refine (--maps)')
    if export_npy not in (None, *MAP_DICT_LAYOUTS):
        raise ConfigError(f'export_npy={export_npy!r}: use one of '
                          f'{MAP_DICT_LAYOUTS}')
    check_threshold(threshold)
    cfg = copy.deepcopy(cfg)
    dataset_cfg = split_dataset(cfg, split)
    if maps is not None:
        dataset_cfg['maps'] = maps
    dataset = DATASETS.build(copy.deepcopy(dataset_cfg))
    if threshold is None and not any(mask_paths(dataset)):
        raise ConfigError(
            f'split {split!r} has no masks to choose the background threshold '
            'on; give one, e.g. --threshold 0.4')
    maps_dir = osp.join(out_dir, 'maps')

    def batches_to_do() -> List[List[int]]:
        claim(out_dir, describe_source(cfg, checkpoint, dataset), overwrite)
        done = [osp.isfile(osp.join(maps_dir, name + '.npz'))
                for name in sample_names(dataset)]
        batches = _batches(dataset, cfg.get('localize_batch_size', 1))
        return [batch for batch in batches if not all(done[i] for i in batch)]

    with process_group(launcher):
        batches = on_main_process(batches_to_do)
        if batches and checkpoint is not None:
            _run_localizer(cfg, checkpoint, dataset_cfg, dataset.metainfo,
                           batches, maps_dir)
        if not is_main_process():
            return {}
        if maps is not None:
            _refine_maps(cfg, dataset, sum(batches, []), maps_dir)
    if export_npy is not None:
        _export_maps(dataset, out_dir, export_npy)
    return finish_masks(dataset, out_dir, threshold,
                        cfg.get('score_classes', 'all'))


def _batches(dataset: BaseDataset, batch_size: int) -> List[List[int]]:
    """All images in batches of one size."""
    if batch_size == 1:
        return [[i] for i in range(len(dataset))]
    sizes = [photo_size(dataset.get_data_info(i)['img_path'])
             for i in range(len(dataset))]
    return same_size_batches(sizes, batch_size)


def split_dataset(cfg: Config, split: str) -> dict:
    """Data set config of a split with the pipeline for localization."""
    name = split if split in SPLITS else 'train'
    loader = cfg.get(f'{name}_dataloader')
    if loader is None and cfg.get(f'{name}_list') is not None:
        return split_dataset(cfg, cfg[f'{name}_list'])
    if loader is None:
        raise ConfigError(f'the config has no {name}_dataloader')
    dataset = copy.deepcopy(loader.dataset.to_dict())
    dataset.update(pipeline=cfg.localize_pipeline, test_mode=True)
    dataset.pop('indices', None)  # a part may do in training, not here
    if split not in SPLITS:
        path = split if osp.isabs(split) else osp.join(
            dataset.get('data_root') or '', split)
        if not osp.isfile(path):
            raise ConfigError(
                f'{unknown_name("split", split, SPLITS)}, and there is no '
                f'list {path}')
        dataset['ann_file'] = osp.abspath(path)
    return dataset


def sample_names(dataset: BaseDataset) -> List[str]:
    """The ids of a data set's images."""
    return [dataset.get_data_info(i)['sample_id'] for i in range(len(dataset))]


def mask_paths(dataset: BaseDataset) -> List[Optional[str]]:
    """Path of each image's mask, None where there is none."""
    paths = [dataset.get_data_info(i).get('seg_map_path')
             for i in range(len(dataset))]
    return [path if path and osp.isfile(path) else None for path in paths]


def check_threshold(threshold: Threshold) -> None:
    """Raise a :class:`ConfigError` for a threshold outside [0, 1)."""
    values = threshold if isinstance(threshold, (tuple, list)) else [threshold]
    if threshold is not None and not (
            len(values) <= 2 and all(0 <= v < 1 for v in values)
            and list(values) == sorted(values)):
        raise ConfigError(f'--threshold {threshold}: give one number in '
                          '[0, 1), or two, the lower first')


def _run_localizer(cfg: Config, checkpoint: str, dataset_cfg: dict,
                   metainfo: dict, batches: List[List[int]],
                   maps_dir: str) -> None:
    """The Runner's test loop over the batches that still lack maps."""
    cfg.launcher = 'none'  # the processes are a group already
    cfg.test_dataloader = dict(
        num_workers=cfg.get('localize_workers', 2),
        persistent_workers=False,
        batch_size=1,
        sampler=dict(type='DefaultSampler', shuffle=False),
        batch_sampler=dict(type='FixedBatchSampler', batches=batches),
        # The lists, images and labels were checked a moment ago.
        dataset=dict(dataset_cfg, check_images=False))
    workers = cfg.get('refine_workers')
    if workers is None:
        # Without a GPU the network needs the cores itself.
        workers = cpu_share() if torch.cuda.is_available() else 0
    cfg.test_evaluator = dict(
        type='MapWriter', out_dir=maps_dir, refiners=cfg.get('refiners', []),
        num_workers=workers, stride=cfg.get('map_stride', 1),
        dtype=cfg.get('map_dtype', 'uint8'))
    cfg.test_cfg = dict()
    cfg.model.test_cfg = dict(cfg.model.get('test_cfg') or {},
                              with_maps=True)
    forget_pretrained(cfg.model)
    for key in ('train_dataloader', 'train_cfg', 'optim_wrapper',
                'param_scheduler', 'val_dataloader', 'val_cfg',
                'val_evaluator', 'custom_hooks'):
        cfg.pop(key, None)
    runner = build_runner(cfg)
    load_weights(runner.model, checkpoint, metainfo['classes'])
    with progress_bar('Maps', sum(map(len, batches))) as advance:
        runner.register_hook(ImageProgressHook(advance))
        runner.test()


def _refine_maps(cfg: Config, dataset: BaseDataset, indices: Sequence[int],
                 maps_dir: str) -> None:
    """The config's refiners on stored maps of some images."""
    refiners = [REFINERS.build(refiner) for refiner in cfg.get('refiners', [])]
    storage = dict(stride=cfg.get('map_stride', 1),
                   dtype=cfg.get('map_dtype', 'uint8'))
    jobs = []
    for index in indices:
        info = dataset.get_data_info(index)
        jobs.append((osp.join(maps_dir, info['sample_id'] + '.npz'),
                     info['img_path'], info['map_path']))
    workers = cfg.get('refine_workers')
    for _ in in_processes(
            partial(_refine_file, refiners, storage), jobs, 'Refining maps',
            cpu_share() if workers is None else workers):
        pass


def _refine_file(refiners: Sequence, storage: dict,
                 job: Tuple[str, str, str]) -> None:
    """Refine one stored file of maps."""
    path, img_path, map_path = job
    file = read_any_map(map_path)
    refine_and_write(refiners, path, img_path, file.maps, file.labels,
                     file.scores, storage)


def finish_masks(dataset: BaseDataset, out_dir: str, threshold: Threshold,
                 score_classes: Union[str, List[str]] = 'all') -> dict:
    """Score the maps in ``out_dir/maps``, choose the threshold, write masks.

    Args:
        dataset (BaseDataset): Images, labels and, where there, masks.
        out_dir (str): See :func:`generate_pseudo_labels`.
        threshold (float | tuple, optional): Likewise.
        score_classes (str | list[str]): Classes of the reported mean IoU and
            mAP. Defaults to 'all'.

    Returns:
        dict: What ``scores.json`` holds.
    """
    classes = list(dataset.metainfo['classes'])
    chosen = class_indices(score_classes, classes)
    given = threshold if isinstance(threshold, (tuple, list)) else [threshold]
    grid = {i / 100 for i in range(100)} | {t for t in given if t is not None}
    thresholds = torch.tensor(sorted(grid))
    total, image_scores, with_masks = _score_maps(dataset, out_dir,
                                                  thresholds)
    report = dict(images=len(dataset), images_with_masks=with_masks,
                  classes=[classes[i] for i in chosen])
    if image_scores is not None:
        per_class = average_precision(
            torch.from_numpy(image_scores), torch.from_numpy(dataset.labels))
        foreground = [i - 1 for i in chosen if i > 0]
        report['mAP'] = _rounded(per_class[foreground].nanmean())
    if with_masks:
        result = threshold_sweep(total, thresholds)
        curve = 100 * result.mean_iou(chosen)
        best = int(curve.argmax())
        if threshold is None:
            threshold = _rounded(thresholds[best])
        report.update(
            best_threshold=_rounded(thresholds[best]),
            best_mIoU=_rounded(curve[best]),
            mIoU_curve={f'{t:g}': _rounded(v)
                        for t, v in zip(sorted(grid), curve)})
        if isinstance(threshold, float):
            row = sorted(grid).index(threshold)
            report['mIoU'] = _rounded(curve[row])
            report['IoU'] = {
                classes[i]: _rounded(100 * result.iou[row, i]) for i in chosen}
            _print_scores(report, result, row, chosen)
        draw_threshold_curve(
            osp.join(out_dir, 'threshold_curve.png'), sorted(grid),
            {f'mIoU over {len(chosen)} classes': curve.tolist()},
            max(threshold) if isinstance(threshold, tuple) else threshold)
    report['threshold'] = threshold
    _write_masks(dataset, out_dir, threshold)
    _write_overlays(dataset, out_dir)
    write_atomically(osp.join(out_dir, 'scores.json'),
                     json.dumps(report, indent=1).encode())
    return report


def _rounded(value: Union[float, Tensor]) -> float:
    return round(float(value), 4)


def _score_maps(dataset: BaseDataset, out_dir: str, thresholds: Tensor
                ) -> Tuple[Tensor, Optional[np.ndarray], int]:
    """Histogram of all images, their image-level scores, images with masks."""
    num_classes = len(dataset.metainfo['classes']) - 1

    def score(job: Tuple[str, Optional[str]]) -> tuple:
        name, mask_path = job
        path = osp.join(out_dir, 'maps', name + '.npz')
        file = read_map(path)
        if mask_path is None:
            return None, file.scores
        target = read_mask(mask_path)
        if target.shape != file.maps.shape[1:]:
            raise DataError(f'{path}: maps of {file.maps.shape[1:]}, but the '
                            f'mask {mask_path} is {target.shape}')
        histogram = sweep_histogram(
            torch.from_numpy(file.maps),
            torch.from_numpy(file.labels).long(),
            torch.from_numpy(target.astype(np.int64)), thresholds,
            num_classes)
        return histogram, file.scores

    jobs = list(zip(sample_names(dataset), mask_paths(dataset)))
    total = torch.zeros(num_classes, num_classes + 1, len(thresholds) + 1,
                        dtype=torch.int64)
    image_scores = []
    with_masks = 0
    for histogram, scores in in_threads(score, jobs, 'Scoring maps'):
        if histogram is not None:
            total += histogram
            with_masks += 1
        image_scores.append(scores)
    if any(scores is None for scores in image_scores):
        return total, None, with_masks
    return total, np.stack(image_scores), with_masks


def _print_scores(report: dict, result: SweepResult, row: int,
                  chosen: List[int]) -> None:
    columns = {
        name: (100 * values[row, chosen]).tolist()
        for name, values in (('IoU', result.iou),
                             ('precision', result.precision),
                             ('recall', result.recall))
    }
    print_log('\n' + class_table(
        report['classes'], columns,
        f'pseudo masks, background threshold {result.thresholds[row]:.2f}'),
              'current')


def _export_maps(dataset: BaseDataset, out_dir: str, layout: str) -> None:

    def export(name: str) -> None:
        write_map_dict(osp.join(out_dir, 'npy', name + '.npy'),
                       read_map(osp.join(out_dir, 'maps', name + '.npz')),
                       layout)

    for _ in in_threads(export, sample_names(dataset), 'Writing .npy dicts'):
        pass


def _write_masks(dataset: BaseDataset, out_dir: str,
                 threshold: Threshold) -> None:
    palette = dataset.metainfo['palette']

    def write(name: str) -> None:
        file = read_map(osp.join(out_dir, 'maps', name + '.npz'))
        write_mask(osp.join(out_dir, 'masks', name + '.png'),
                   map_to_mask(file.maps, file.labels, threshold), palette)

    for _ in in_threads(write, sample_names(dataset), 'Writing masks'):
        pass


def _write_overlays(dataset: BaseDataset, out_dir: str,
                    count: int = 12) -> None:
    """A sheet of images spread evenly over the split."""
    rows = []
    classes = dataset.metainfo['classes']
    palette = dataset.metainfo['palette']
    truth_paths = mask_paths(dataset)
    for index in evenly(len(dataset), count):
        info = dataset.get_data_info(index)
        photo = read_photo(info['img_path'])
        file = read_map(
            osp.join(out_dir, 'maps', info['sample_id'] + '.npz'))
        mask = read_mask(
            osp.join(out_dir, 'masks', info['sample_id'] + '.png'))
        names = [classes[i + 1] for i in file.labels]
        row = [(', '.join(names), photo)]
        if len(file.maps):
            row.append(('strongest map', heat_overlay(photo,
                                                      file.maps.max(0))))
        row.append(('mask', mask_overlay(photo, mask, palette)))
        if truth_paths[index] is not None:
            row.append(('truth', mask_overlay(
                photo, read_mask(truth_paths[index]), palette)))
        rows.append(row)
    write_picture(osp.join(out_dir, 'overlays.png'),
                  picture_sheet(rows, columns=2))


def evenly(total: int, count: int) -> List[int]:
    """At most ``count`` indices, spread evenly over ``range(total)``."""
    chosen = np.linspace(0, total - 1, min(count, total))
    return chosen.round().astype(int).tolist()
