"""Training through mmengine's Runner."""
import copy
import itertools
import os.path as osp
from typing import Optional

import torch
from mmengine.config import Config
from mmengine.runner import EpochBasedTrainLoop, Runner

from mmwsss.engine import CheckedRunner
from mmwsss.files.atomic import require_writable
from mmwsss.files.run_folder import best_whole_checkpoint
from mmwsss.parallel.listeners import ListenerHook, current_listener
from mmwsss.problems import ConfigError

from .class_counts import check_class_counts

_run_numbers = itertools.count(1)


def train(cfg: Config,
          resume: bool = False,
          amp: bool = False,
          launcher: str = 'none') -> Runner:
    """Train what a config describes.

    Args:
        cfg (Config): From :func:`mmwsss.apis.load_config`.
        resume (bool): Go on from the newest whole checkpoint in
            ``cfg.work_dir``, or from ``cfg.load_from`` where that is set.
        amp (bool): Mixed precision: mmengine's on a GPU, bfloat16 on a CPU.
        launcher (str): 'none', 'pytorch', 'slurm' or 'mpi'.

    Returns:
        Runner: After training.

    Raises:
        ConfigError: If the folder cannot be written to or the photos do not
            fill a batch.
        DataError: If the weights to begin with, or the checkpoint to go on
            from, cannot be read or do not fit.
    """
    cfg = copy.deepcopy(cfg)
    cfg.work_dir = require_writable(cfg.work_dir)
    if amp and torch.cuda.is_available():
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
    elif amp:  # mmengine's mixed precision is for accelerators only
        cfg.optim_wrapper.type = 'BFloat16OptimWrapper'
    cfg.launcher = launcher
    runner = build_runner(cfg, cfg.get('load_from'), resume)
    check_class_counts(cfg, runner.model, ('train', 'val'))
    _check_batches(runner)
    runner.train()
    return runner


def _check_batches(runner: Runner) -> None:
    """Raise if the photos do not fill a single batch of an epoch."""
    loader = runner.train_loop.dataloader
    if isinstance(runner.train_loop, EpochBasedTrainLoop) and not len(loader):
        raise ConfigError(
            f'{len(loader.dataset)} photos do not fill one batch, and '
            'train_dataloader.drop_last leaves the rest out; set a smaller '
            'train_dataloader.batch_size')


def build_runner(cfg: Config, load_from: Optional[str] = None,
                 resume: bool = False) -> Runner:
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
        Runner: One that saves whole files and loads through one door.
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
