"""Mixed precision without an accelerator."""
from contextlib import contextmanager
from typing import Iterator

import torch
from mmengine.optim import OptimWrapper
from torch import nn

from mmwsss.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Forward passes in bfloat16 where that is safe; weights stay float32.

    bfloat16 has float32's range, so no loss scaling is needed. mmengine's
    ``AmpOptimWrapper`` refuses CPUs.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Autocast on the device that holds the model."""
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(
                device, torch.bfloat16):
            yield
