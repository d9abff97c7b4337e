"""ToCo's learning rate; its parity is in ToCo's tests."""
import pytest
import torch

from mmwsss.registry import PARAM_SCHEDULERS


def rates(count, **options):
    """Learning rate at each of ``count`` iterations, as the Runner builds it.
    """
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.)
    schedule = PARAM_SCHEDULERS.build(
        dict(type='PolyWarmupLR', warmup_iters=4, warmup_ratio=0.1, **options),
        default_args=dict(optimizer=optimizer, epoch_length=7))
    found = []
    for _ in range(count):
        found.append(optimizer.param_groups[0]['lr'] / 2)
        optimizer.step()
        schedule.step()
    return found


def test_warm_up_then_a_decay_that_does_not_start_anew():
    assert rates(12, max_iters=10, power=1.) == pytest.approx(
        [0.1, 0.325, 0.55, 0.775, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.1, 0.1])
    squared = rates(10, max_iters=10, power=2.)
    assert squared[4:] == pytest.approx([(1 - t / 10)**2 for t in
                                         range(4, 10)])


def test_last_iteration_is_the_end_of_the_run():
    given = rates(12, max_iters=10)
    assert rates(12, by_epoch=False, end=10) == given
    assert rates(12, by_epoch=False, end=11) != given


def test_given_iterations_go_before_the_runners_end():
    """Without by_epoch=False it counts epochs."""
    given = rates(12, max_iters=10)
    assert rates(12, max_iters=10, end=1) == given
    assert rates(12, max_iters=10, by_epoch=False, end=99) == given


def test_counts_from_its_beginning():
    late = rates(12, by_epoch=False, begin=3, end=13)
    assert late[3:] == rates(9, by_epoch=False, end=10)


@pytest.mark.parametrize('options', [
    dict(),  # used without a Runner
    dict(end=1),  # the Runner's one epoch of a training by iterations
    dict(by_epoch=False),
])
def test_unknown_last_iteration(options):
    with pytest.raises(ValueError, match='by_epoch=False.*or max_iters'):
        rates(1, **options)
