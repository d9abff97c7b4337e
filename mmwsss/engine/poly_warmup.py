"""ToCo's learning rate."""
from typing import Any

from mmengine.optim.scheduler.lr_scheduler import LRSchedulerMixin
from mmengine.optim.scheduler.param_scheduler import _ParamScheduler
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
        max_iters (int): T.
        warmup_iters (int): Iterations of warm-up.
        warmup_ratio (float): Of the rate at the first iteration.
        power (float): Defaults to 0.9.
        **kwargs: See mmengine's ``_ParamScheduler``.
    """

    def __init__(self,
                 optimizer: Optimizer,
                 max_iters: int,
                 warmup_iters: int,
                 warmup_ratio: float,
                 power: float = 0.9,
                 **kwargs: Any) -> None:
        self.max_iters = max_iters
        self.warmup_iters = warmup_iters
        self.warmup_ratio = warmup_ratio
        self.power = power
        # The Runner would count epochs and end after the last one.
        kwargs.pop('end', None)
        super().__init__(optimizer, by_epoch=False, **kwargs)

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
