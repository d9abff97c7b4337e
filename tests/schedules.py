"""The learning rates that the Runner makes of a config."""
import torch
from mmengine.runner import Runner
from torch.utils.data import DataLoader


def build_schedules(cfg, work_dir, epoch_length=7):
    """An optimizer (lr 1) and the schedules that a config gives it."""
    runner = Runner(
        torch.nn.Linear(1, 1), str(work_dir), default_scope='mmwsss',
        train_dataloader=DataLoader(range(epoch_length)),
        train_cfg=cfg.train_cfg,
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=1.)),
        experiment_name=str(work_dir))
    runner._train_loop = runner.build_train_loop(cfg.train_cfg)
    optimizer = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.optim_wrapper = optimizer
    return optimizer, runner.build_param_scheduler(cfg.param_scheduler)


def learning_rates(cfg, work_dir, epoch_length=7):
    """The rate of every iteration of the training, relative to the full."""
    optimizer, schedules = build_schedules(cfg, work_dir, epoch_length)
    assert not any(schedule.by_epoch for schedule in schedules)
    iters = cfg.train_cfg.get('max_iters') or (
        cfg.train_cfg.max_epochs * epoch_length)
    rates = []
    for _ in range(iters):
        rates.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        for schedule in schedules:
            schedule.step()
    return rates
