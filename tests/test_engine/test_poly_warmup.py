"""ToCo's learning rate; its parity is in ToCo's tests."""
import pytest
import torch

from mmwsss.engine import PolyWarmupLR


def rates(count, **options):
    """Learning rate at each of ``count`` iterations."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.)
    schedule = PolyWarmupLR(optimizer, max_iters=10, warmup_iters=4,
                            warmup_ratio=0.1, **options)
    found = []
    for _ in range(count):
        found.append(optimizer.param_groups[0]['lr'] / 2)
        optimizer.step()
        schedule.step()
    return found


def test_warm_up_then_a_decay_that_does_not_start_anew():
    assert rates(12, power=1.) == pytest.approx(
        [0.1, 0.325, 0.55, 0.775, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.1, 0.1])
    squared = rates(10, power=2.)
    assert squared[4:] == pytest.approx([(1 - t / 10)**2 for t in
                                         range(4, 10)])


def test_the_runners_end_is_left_out():
    """It would count epochs there."""
    assert rates(9, end=1) == rates(9)
