"""Training through mmengine's Runner."""
import copy
import glob
import itertools
import os.path as osp

import torch
from mmengine.config import Config
from mmengine.runner import (
    EpochBasedTrainLoop,
    Runner,
    find_latest_checkpoint,
)

from mmwsss.files.atomic import require_writable
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
        resume (bool): Go on from the latest checkpoint in ``cfg.work_dir``.
        amp (bool): Mixed precision: mmengine's on a GPU, bfloat16 on a CPU.
        launcher (str): 'none', 'pytorch', 'slurm' or 'mpi'.

    Returns:
        Runner: After training.
    """
    cfg = copy.deepcopy(cfg)
    cfg.work_dir = require_writable(cfg.work_dir)
    if amp and torch.cuda.is_available():
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
    elif amp:  # mmengine's mixed precision is for accelerators only
        cfg.optim_wrapper.type = 'BFloat16OptimWrapper'
    cfg.resume = resume
    cfg.launcher = launcher
    runner = build_runner(cfg)
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


def build_runner(cfg: Config) -> Runner:
    """A Runner whose logs and pictures are its own.

    Mmengine names a run after its config and the second in which it starts,
    and two runs of one name in a process would share their visualizer; so
    each gets a number.
    """
    name = cfg.get('experiment_name') or osp.splitext(
        osp.basename(cfg.filename or 'run'))[0]
    cfg.experiment_name = f'{name}_{next(_run_numbers)}'
    return Runner.from_cfg(cfg)


def best_checkpoint(work_dir: str) -> str:
    """The best checkpoint of a training run, else its last one.

    Raises:
        ConfigError: If the folder holds none.
    """
    best = sorted(glob.glob(osp.join(glob.escape(work_dir), 'best_*.pth')),
                  key=osp.getmtime)
    path = best[-1] if best else find_latest_checkpoint(work_dir)
    if path is None or not osp.isfile(path):
        raise ConfigError(f'{work_dir}: no checkpoint; train first')
    return path
