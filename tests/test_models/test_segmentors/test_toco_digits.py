"""ToCo learns to find digits from labels alone: a run of minutes."""
import json
import os.path as osp

import pytest
from shapes import ROOT

from mmwsss.apis import load_config, train
from mmwsss.preparation.digit_scenes import write_digit_scenes

pytest.importorskip('sklearn')


def test_localizes_and_segments_digits_from_labels(tmp_path):
    root = str(tmp_path / 'digits')
    write_digit_scenes(root, num_train=2000, num_val=100)
    config = tmp_path / 'short.py'
    config.write_text(f"""
_base_ = '{ROOT}/configs/toco_digits.py'
data_root = {root!r}
train_cfg = dict(max_iters=450, val_interval=450)
default_hooks = dict(checkpoint=dict(interval=450))
custom_hooks = [
    dict(type='NonFiniteLossHook'),
    dict(type='LateLossesHook', after=300,
         weights=dict(ptc=0.2, ctc=0.1, seg=0.1, energy=0.05)),
]
""")
    cfg = load_config(str(config), work_dir=str(tmp_path / 'run'))
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.dataset.data_root = root
    train(cfg)
    [path] = (tmp_path / 'run').glob('*/vis_data/scalars.json')
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    scores = next(row for row in rows if 'cam/mIoU' in row)
    # All background: 6; every pixel of a guessed digit: less.
    assert scores['cam/mIoU'] > 18
    assert scores['aux_cam/mIoU'] > 18
    assert scores['seg/mIoU'] > 8
    assert {'loss_ptc', 'loss_ctc', 'loss_seg', 'loss_energy'} <= set(
        next(row for row in reversed(rows) if 'loss' in row))
    assert osp.isfile(tmp_path / 'run' / 'iter_450.pth')
