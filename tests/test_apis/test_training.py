"""Training through the Runner."""
import os.path as osp
import shutil
import time

from shapes import train_losses

from mmwsss.apis import (
    load_config,
    train,
)


def test_runs_of_one_second_keep_their_own_logs(localizer_config, tmp_path,
                                                monkeypatch):
    monkeypatch.setattr('time.localtime', lambda *_: time.gmtime(0))
    for name in ('a', 'b'):
        assert train_losses(localizer_config, tmp_path / name,
                            **{'train_cfg.max_epochs': 1})


def test_resumed_training_goes_on(localizer_config, tmp_path):
    def cfg(epochs):
        return load_config(localizer_config, {'train_cfg.max_epochs': epochs},
                           str(tmp_path / 'run'))

    train(cfg(1))
    runner = train(cfg(2), resume=True)
    assert runner.epoch == 2 and runner.iter == 4


def test_losses_are_bit_equal_without_masks(localizer_config, shapes,
                                            tmp_path):
    with_masks = train_losses(localizer_config, tmp_path / 'a')
    shutil.rmtree(osp.join(shapes, 'SegmentationClassAug'))
    without = train_losses(localizer_config, tmp_path / 'b')
    assert len(with_masks) == 4 and with_masks == without
