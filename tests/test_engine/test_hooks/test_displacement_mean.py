"""IRN's mean displacement, measured after training."""
import logging
from types import SimpleNamespace

import torch
from affinity_nets import PREPROCESSOR, sample, taps

from mmwsss.engine import DisplacementMeanHook
from mmwsss.models import IRN


def test_what_is_left_in_evaluation_has_mean_zero():
    model = IRN(taps(), dict(PREPROCESSOR, size=(48, 64))).train()
    model.displacement_mean.fill_(7.)  # of an earlier run
    batches = [dict(inputs=list(torch.rand(2, 3, 48, 64)),
                    data_samples=[sample(torch.zeros(48, 64).long())] * 2)
               for _ in range(3)]
    runner = SimpleNamespace(
        model=model, train_dataloader=batches, max_epochs=2, epoch=0,
        logger=logging.getLogger('test'))
    hook = DisplacementMeanHook()
    hook.after_train_epoch(runner)
    assert (model.displacement_mean == 7).all()  # one more epoch to go
    runner.epoch = 1
    hook.after_train_epoch(runner)
    assert model.training
    model.eval()
    with torch.no_grad():
        left = torch.stack([
            model.relations(torch.stack(batch['inputs']))[1].mean((0, 2, 3))
            for batch in batches]).mean(0)
    assert model.displacement_mean.abs().max() > 1e-4
    torch.testing.assert_close(left, torch.zeros(2), rtol=0, atol=1e-6)
