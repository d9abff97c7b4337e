"""ToCo's learning rate."""
from typing import Any, Optional

from mmengine.optim.scheduler.lr_scheduler import LRSchedulerMixin
from mmengine.optim.scheduler.param_scheduler import INF, _ParamScheduler
from torch.optim import Optimizer

from mmwsss.registry import PARAM_SCHEDULERS


@PARAM_SCHEDULERS.register_module()
class PolyWarmupLR(LRSchedulerMixin, _ParamScheduler):
    """Linear warm-up, then ``(1 - t / T) ** power`` of *all* T iterations.

    The decay does not start anew after the warm-up, so that the rate drops a
    little there, as in the published code; mmengine's ``LinearLR`` and
    ``PolyLR`` together do not do this.

    Args:
        optimizer (Optimizer): The wrapped optimizer.
        warmup_iters (int): Iterations of warm-up.
        warmup_ratio (float): Of the rate at the first iteration.
        max_iters (int, optional): T. Without it, T is the iterations from
            ``begin`` to ``end``; the Runner gives the end of the training
            to a config that says ``by_epoch=False``.
        power (float): Defaults to 0.9.
        begin (int): The first iteration. Defaults to 0.
        end (int): See ``max_iters``.
        by_epoch (bool): Whether ``end`` counts epochs; only with
            ``max_iters``, because the rate changes by iterations. Defaults
            to True, as the Runner takes it to be.
        **kwargs: See mmengine's ``_ParamScheduler``.

    Raises:
        ValueError: If neither ``max_iters`` nor an ``end`` in iterations is
            there.
    """

    def __init__(self,
                 optimizer: Optimizer,
                 warmup_iters: int,
                 warmup_ratio: float,
                 max_iters: Optional[int] = None,
                 power: float = 0.9,
                 begin: int = 0,
                 end: int = INF,
                 by_epoch: bool = True,
                 **kwargs: Any) -> None:
        if max_iters is None:
            if by_epoch or end == INF:
                raise ValueError('PolyWarmupLR does not know its last '
                                 'iteration: give it by_epoch=False, and the '
                                 'Runner tells it, or max_iters')
            max_iters = end - begin
        self.max_iters = max_iters
        self.warmup_iters = warmup_iters
        self.warmup_ratio = warmup_ratio
        self.power = power
        # Without an end: after T iterations the rate stays where it is.
        super().__init__(optimizer, begin=begin, by_epoch=False, **kwargs)

    def _get_value(self) -> list:
        step = self.last_step
        if step >= self.max_iters:  # as published: it stays where it is
            return [group[self.param_name]
                    for group in self.optimizer.param_groups]
        if step < self.warmup_iters:
            missing = (1 - step / self.warmup_iters) * (1 - self.warmup_ratio)
            factor = 1 - missing
        else:
            factor = (1 - step / self.max_iters)**self.power
        return [value * factor for value in self.base_values]
