"""Losses that are switched on later."""
from types import SimpleNamespace

import pytest

from mmwsss.engine import LateLossesHook


def runner(**weights):
    return SimpleNamespace(
        iter=0, model=SimpleNamespace(loss_weights=dict(weights)))


def test_on_after_the_named_iteration():
    run = runner(cls=1., seg=9., energy=9.)
    hook = LateLossesHook(dict(seg=0.5, energy=0.1), after=2)
    hook.before_train(run)
    seen = []
    for run.iter in range(5):
        hook.before_train_iter(run, run.iter)
        seen.append(dict(run.model.loss_weights))
    off, on = dict(cls=1., seg=0., energy=0.), dict(cls=1., seg=0.5,
                                                    energy=0.1)
    assert seen == [off, off, off, on, on]


def test_a_loss_that_the_model_has_not_is_named():
    hook = LateLossesHook(dict(segm=0.5), after=2)
    with pytest.raises(ValueError, match=r"unknown \['segm'\]; the model has "
                       r"\['cls', 'seg'\]"):
        hook.before_train(runner(cls=1., seg=1.))
