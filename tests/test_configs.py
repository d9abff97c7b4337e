"""What configs state once holds wherever it is used."""
import glob
import os.path as osp

import numpy as np
import pytest
from schedules import learning_rates
from shapes import ROOT

from mmwsss.apis import load_config
from mmwsss.apis.untrained import needs_no_training
from mmwsss.problems import ConfigError

FOLDER = osp.join(ROOT, 'configs')
CONFIGS = sorted(osp.basename(path)
                 for path in glob.glob(osp.join(FOLDER, '*.py')))


@pytest.mark.parametrize('name', CONFIGS)
def test_schedule_ends_with_the_training(name, tmp_path):
    cfg = load_config(osp.join(FOLDER, name))
    if needs_no_training(cfg):
        return
    [(key, length)] = [
        pair for pair in (('max_epochs', 8), ('max_iters', 2000))
        if pair[0] in cfg.train_cfg]
    cfg.train_cfg[key] = length
    short = learning_rates(cfg, tmp_path / 'short')
    cfg.train_cfg[key] = 2 * length
    long = learning_rates(cfg, tmp_path / 'long')
    assert len(long) == 2 * len(short)
    # Next to nothing at the end, and much of it left in the middle.
    assert short[-1] < 0.01 and long[-1] < 0.01
    assert long[len(short) - 1] > 0.4


def test_child_sets_the_length_alone(tmp_path):
    for base, setting in (('mmct_voc', 'max_epochs=3'),
                          ('toco_voc', 'max_iters=3000')):
        path = tmp_path / f'{base}.py'
        path.write_text(f"_base_ = '{FOLDER}/{base}.py'\n"
                        f'train_cfg = dict({setting})\n')
        rates = learning_rates(load_config(str(path)), tmp_path / base)
        assert rates[-1] < 0.01 < rates[len(rates) * 3 // 4]


@pytest.mark.parametrize('base, child', [
    ('mmct_voc', """
max_epochs = 3
train_cfg = dict(max_epochs=max_epochs)
param_scheduler = [
    dict(type='CosineAnnealingLR', T_max=max_epochs, by_epoch=True,
         convert_to_iter_based=True)]
"""),
    ('irn_voc', """
max_epochs = 5
train_cfg = dict(max_epochs=max_epochs)
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=0., begin=0, end=max_epochs,
         by_epoch=True, convert_to_iter_based=True)]
"""),
    ('toco_voc', """
max_iters = 3000
train_cfg = dict(max_iters=max_iters)
param_scheduler = [
    dict(type='PolyWarmupLR', max_iters=max_iters, warmup_iters=1500,
         warmup_ratio=1e-6, power=0.9)]
"""),
])
def test_child_that_states_the_schedule_gets_the_same(base, child, tmp_path):
    path = tmp_path / 'child.py'
    path.write_text(f"_base_ = '{FOLDER}/{base}.py'\n{child}")
    cfg = load_config(str(path))
    [key] = {'max_epochs', 'max_iters'} & set(cfg.train_cfg)
    short = load_config(osp.join(FOLDER, f'{base}.py'),
                        {f'train_cfg.{key}': cfg.train_cfg[key]})
    assert np.allclose(learning_rates(cfg, tmp_path / 'child'),
                       learning_rates(short, tmp_path / 'short'),
                       rtol=1e-12, atol=0)
    # Such a number is used up when the file is read.
    with pytest.raises(ConfigError, match='has used this number.*'
                       rf'\(train_cfg.{key}=5'):
        load_config(str(path), {key: 5})


@pytest.mark.parametrize('text, where', [
    ('123.675', {'models/imagenet_preprocessor.py'}),
    ("'IterTimerHook'", {'schedules/hooks.py'}),
    ("'MultiLabelMAP', classes", {'evaluators.py'}),
    ("'ConfidentLabels'", {'datasets/voc12_maps.py'}),
    ("type='VOC12ClsDataset'", {'datasets/voc12.py'}),
    ("type='VOC12Dataset'", {'datasets/voc12.py'}),
    ("type='COCO14ClsDataset'", {'datasets/coco14.py'}),
    ("type='COCO14Dataset'", {'datasets/coco14.py'}),
    ("type='DigitScenesDataset'", {'datasets/digit_scenes.py'}),
])
def test_stands_in_one_file(text, where):
    paths = glob.glob(osp.join(FOLDER, '**', '*.py'), recursive=True)
    found = set()
    for path in paths:
        with open(path, encoding='utf-8') as file:
            if text in file.read():
                found.add(osp.relpath(path, osp.join(FOLDER, '_base_')))
    assert found == where
