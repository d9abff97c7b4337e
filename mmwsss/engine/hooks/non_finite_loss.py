"""Stop at the first NaN instead of training on."""
from typing import Optional, Sequence

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmwsss.problems import NonFiniteLossError
from mmwsss.registry import HOOKS


@HOOKS.register_module()
class NonFiniteLossHook(Hook):
    """Stop when a loss is NaN or infinite; name iteration and samples.

    The checkpoints written before stay as they are.
    """

    priority = 'VERY_HIGH'

    def after_train_iter(self,
                         runner: Runner,
                         batch_idx: int,
                         data_batch: Optional[dict] = None,
                         outputs: Optional[dict] = None) -> None:
        """Check the losses of this iteration."""
        bad = [name for name, value in (outputs or {}).items()
               if torch.is_tensor(value) and not torch.isfinite(value).all()]
        if not bad:
            return
        raise NonFiniteLossError(
            f'{", ".join(bad)} not finite at iteration {runner.iter + 1} '
            f'(epoch {runner.epoch + 1}), samples '
            f'{", ".join(sample_ids(data_batch))}. Look at these images, '
            'lower optim_wrapper.optimizer.lr, or train without --amp; '
            f'earlier checkpoints are in {runner.work_dir}')


def sample_ids(data_batch: Optional[dict]) -> Sequence[str]:
    """Names of the images of a batch.

    Args:
        data_batch (dict, optional): What the data loader yields.

    Returns:
        Sequence[str]: For each image its id, path, or '?'.
    """
    samples = (data_batch or {}).get('data_samples') or ()
    return [str(s.get('sample_id', s.get('img_path', '?'))) for s in samples]
