"""Mixed precision without an accelerator."""
import torch
from torch import nn

from mmwsss.apis import load_config, train
from mmwsss.engine import BFloat16OptimWrapper


def test_mixed_precision_without_a_gpu(localizer_config, tmp_path):
    cfg = load_config(localizer_config, {'train_cfg.max_epochs': 1},
                      str(tmp_path / 'run'))
    runner = train(cfg, amp=True)
    assert runner.iter == 2
    dtypes = {p.dtype for p in runner.model.parameters()}
    assert dtypes == {torch.float32}
    if not torch.cuda.is_available():
        assert type(runner.optim_wrapper).__name__ == 'BFloat16OptimWrapper'


def test_forward_in_bfloat16_and_weights_in_float32():
    model = nn.Linear(4, 2)
    wrapper = BFloat16OptimWrapper(torch.optim.SGD(model.parameters(), 0.1))
    with wrapper.optim_context(model):
        output = model(torch.ones(1, 4))
    assert output.dtype == torch.bfloat16
    before = model.weight.detach().clone()
    wrapper.update_params(output.sum())
    assert model.weight.dtype == torch.float32
    torch.testing.assert_close(model.weight, before - 0.1)
    assert model(torch.ones(1, 4)).dtype == torch.float32
