"""IRN's mean displacement, found after training."""
import torch
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmwsss.registry import HOOKS


@HOOKS.register_module()
class DisplacementMeanHook(Hook):
    """Stores the mean displacement before the last checkpoint is written.

    IRN subtracts it in evaluation. The mean is taken over one more pass of
    the training data.
    """

    # It runs before CheckpointHook, whose priority is VERY_LOW.
    priority = 'LOW'

    def after_train_epoch(self, runner: Runner) -> None:
        """Measure at the end of the last epoch."""
        if not self.is_last_train_epoch(runner):
            return
        model = runner.model
        if is_model_wrapper(model):
            model = model.module
        model.eval()
        model.displacement_mean.zero_()
        means = []
        with torch.no_grad():
            for batch in runner.train_dataloader:
                inputs = model.data_preprocessor(batch, True)['inputs']
                _, displacement = model.relations(inputs)
                means.append(displacement.mean((0, 2, 3)))
        model.displacement_mean.copy_(torch.stack(means).mean(0))
        model.train()
        runner.logger.info('Mean displacement (down, right): '
                           f'{model.displacement_mean.tolist()}')
