"""Losses that are switched on later."""
from typing import Dict, Optional

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmwsss.registry import HOOKS


@HOOKS.register_module()
class LateLossesHook(Hook):
    """Sets weights of losses to 0 up to an iteration, then to their values.

    For models with a dict ``loss_weights``, such as ``ToCo``, which skip what
    has the weight 0.

    Args:
        weights (dict[str, float]): Weight of each late loss, by its name in
            the model's ``loss_weights``.
        after (int): The last iteration without them, counted from 0.
    """

    def __init__(self, weights: Dict[str, float], after: int) -> None:
        self.weights = weights
        self.after = after

    def before_train(self, runner: Runner) -> None:
        """Check that the model has such losses."""
        unknown = set(self.weights) - set(_weights(runner))
        if unknown:
            raise ValueError(f'LateLossesHook.weights: unknown '
                             f'{sorted(unknown)}; the model has '
                             f'{list(_weights(runner))}')

    def before_train_iter(self, runner: Runner, batch_idx: int,
                          data_batch: Optional[dict] = None) -> None:
        """Set the weights of this iteration."""
        on = runner.iter > self.after
        _weights(runner).update(
            {name: value if on else 0. for name, value in
             self.weights.items()})


def _weights(runner: Runner) -> Dict[str, float]:
    model = runner.model
    return (model.module if is_model_wrapper(model) else model).loss_weights
