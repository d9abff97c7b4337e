"""A training stops at the first loss that is no number."""
import pytest

from mmwsss.apis import load_config, train
from mmwsss.problems import NonFiniteLossError


def test_nan_loss_stops_with_iteration_and_samples(localizer_config,
                                                   tmp_path):
    cfg = load_config(localizer_config,
                      {'model.loss_weights': dict(patch=float('nan'))},
                      str(tmp_path / 'run'))
    with pytest.raises(NonFiniteLossError,
                       match=r'loss_patch.*iteration 1 .*samples img\d'):
        train(cfg)
