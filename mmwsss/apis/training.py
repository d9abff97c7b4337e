"""Training through mmengine's Runner."""
import copy
import itertools
import logging
import os
import os.path as osp
import shutil
from contextlib import contextmanager
from logging.handlers import MemoryHandler
from typing import Any, Dict, Iterator, List, Optional, Sequence

import torch
from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.logging import MMLogger, print_log
from mmengine.runner import EpochBasedTrainLoop, Runner

from mmwsss.engine import CheckedRunner
from mmwsss.files.atomic import require_writable
from mmwsss.files.run_folder import (
    best_whole_checkpoint,
    checkpoints_of_run,
    files_of_run,
)
from mmwsss.files.unfinished import remove_unfinished
from mmwsss.parallel.listeners import ListenerHook, current_listener
from mmwsss.problems import ConfigError
from mmwsss.registry import DATASETS

from .class_counts import check_class_counts
from .untrained import needs_no_training

_run_numbers = itertools.count(1)


def train(cfg: Config,
          resume: bool = False,
          amp: bool = False,
          launcher: str = 'none',
          overwrite: bool = False) -> CheckedRunner:
    """Train what a config describes.

    Args:
        cfg (Config): From :func:`mmwsss.apis.load_config`.
        resume (bool): Go on from the newest whole checkpoint in
            ``cfg.work_dir``, or from ``cfg.load_from`` where that is set.
        amp (bool): Mixed precision: mmengine's on a GPU, bfloat16 on a CPU.
        launcher (str): 'none', 'pytorch', 'slurm' or 'mpi'.
        overwrite (bool): Begin anew where ``cfg.work_dir`` holds another
            training: its checkpoints and logs are removed when this one
            begins.

    Returns:
        Runner: After training.

    Raises:
        ConfigError: If there is nothing to train, the folder cannot be
            written to or holds another training, or the photos do not fill a
            batch.
        DataError: If the weights to begin with, or the checkpoint to go on
            from, cannot be read or do not fit.
    """
    if needs_no_training(cfg):
        raise ConfigError(
            f'{cfg.filename}: it has no train_cfg, there is nothing to train; '
            'tools/gen_pseudo.py writes its maps and masks without a '
            'checkpoint')
    cfg = copy.deepcopy(cfg)
    earlier = [] if resume else _earlier_run(cfg, overwrite)
    with _kept_lines() as lines:
        datasets = _checked_datasets(cfg)
    cfg.work_dir = require_writable(cfg.work_dir)
    remove_unfinished(cfg.work_dir)
    if amp and torch.cuda.is_available():
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
    elif amp:  # mmengine's mixed precision is for accelerators only
        cfg.optim_wrapper.type = 'BFloat16OptimWrapper'
    cfg.launcher = launcher
    runner = build_runner(cfg, cfg.get('load_from'), resume)
    for handler in runner.logger.handlers:
        if isinstance(handler, logging.FileHandler):
            lines.setTarget(handler)
    lines.close()
    runner.take_datasets(datasets)
    _check_batches(runner)
    _warn_of_seen_photos(cfg, runner)
    if is_main_process():
        # A start that failed within this second has named its log the same.
        own = osp.realpath(osp.join(cfg.work_dir, runner.timestamp))
        _remove([path for path in earlier if osp.realpath(path) != own])
    runner.train()
    return runner


def _earlier_run(cfg: Config, overwrite: bool) -> List[str]:
    """What another training left where this one is to begin.

    Raises:
        ConfigError: If it has checkpoints and is not to be replaced, or is to
            be begun with.
    """
    folder = osp.expanduser(cfg.work_dir)
    found = checkpoints_of_run(folder)
    if found and not overwrite:
        raise ConfigError(
            f'{folder}: holds another training ({osp.basename(found[0])}); go '
            'on with it (--resume), give another --work-dir, or replace its '
            'checkpoints and logs (--overwrite)')
    begins_with = cfg.get('load_from')
    if begins_with and osp.realpath(begins_with) in map(osp.realpath, found):
        raise ConfigError(
            f'load_from={begins_with}: --overwrite would remove it; give '
            'another --work-dir')
    return files_of_run(folder) if found else []


def _remove(paths: Sequence[str]) -> None:
    for path in paths:
        if osp.isdir(path):
            shutil.rmtree(path)
        else:
            os.remove(path)


def _checked_datasets(cfg: Config) -> Dict[str, Any]:
    """The data sets by loader, built before a log or a folder is."""
    check_class_counts(cfg, loaders=('train', 'val'))
    datasets = {}
    for name in ('train', 'val'):
        loader = cfg.get(f'{name}_dataloader')
        if loader:
            datasets[name] = DATASETS.build(copy.deepcopy(loader.dataset))
            if hasattr(datasets[name], 'full_init'):
                datasets[name].full_init()
    return datasets


@contextmanager
def _kept_lines() -> Iterator[MemoryHandler]:
    """Keeps what is logged before the run has its log."""
    lines = MemoryHandler(1000, flushLevel=logging.CRITICAL + 1)
    logger = MMLogger.get_current_instance()
    logger.addHandler(lines)
    try:
        yield lines
    finally:
        logger.removeHandler(lines)


def _check_batches(runner: Runner) -> None:
    """Raise if the photos do not fill a single batch of an epoch."""
    loader = runner.train_loop.dataloader
    if isinstance(runner.train_loop, EpochBasedTrainLoop) and not len(loader):
        raise ConfigError(
            f'{len(loader.dataset)} photos do not fill one batch, and '
            'train_dataloader.drop_last leaves the rest out; set a smaller '
            'train_dataloader.batch_size')


def _warn_of_seen_photos(cfg: Config, runner: Runner) -> None:
    """Say that scores on photos which the model learns from mean little."""
    if cfg.get('val_dataloader') is None:
        return
    seen, validated = ({
        loop.dataloader.dataset.get_data_info(i).get('img_path')
        for i in range(len(loop.dataloader.dataset))
    } for loop in (runner.train_loop, runner.val_loop))
    both = (validated & seen) - {None}
    if both:
        print_log(
            f'{len(both)} of the {len(validated)} photos of val_dataloader '
            'are trained on, too: its scores say how well these are known by '
            'heart. To know more, hold some out and name them in ann_file',
            'current', logging.WARNING)


def build_runner(cfg: Config, load_from: Optional[str] = None,
                 resume: bool = False) -> CheckedRunner:
    """A Runner whose logs and pictures are its own.

    Mmengine names a run after its config and the second in which it starts,
    and two runs of one name in a process would share their visualizer; so
    each gets a number.

    Args:
        cfg (Config): The config; it is changed.
        load_from (str, optional): Weights to begin training with; whatever
            the config says.
        resume (bool): Go on with a training.

    Returns:
        CheckedRunner: One that saves whole files and loads through one door.
    """
    cfg.load_from, cfg.resume = load_from, resume
    hook = cfg.get('default_hooks', {}).get('checkpoint')
    if hook and hook.get('type') in ('CheckpointHook',
                                     'mmengine.CheckpointHook'):
        hook.type = 'mmwsss.CheckpointHook'  # whatever the default scope is
    name = cfg.get('experiment_name') or osp.splitext(
        osp.basename(cfg.filename or 'run'))[0]
    cfg.experiment_name = f'{name}_{next(_run_numbers)}'
    runner = CheckedRunner.from_cfg(cfg)
    listener = current_listener()
    if listener is not None:
        runner.register_hook(ListenerHook(listener))
    return runner


def best_checkpoint(work_dir: str) -> str:
    """The best checkpoint of a training run, else its last one.

    Raises:
        ConfigError: If the folder holds none that is whole.
    """
    path = best_whole_checkpoint(work_dir)
    if path is None:
        raise ConfigError(f'{work_dir}: no checkpoint; train first')
    return path
