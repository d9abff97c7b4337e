"""The whole path by one command: pipeline with affinity, comparison table."""
import json
import os
import os.path as osp

import pytest

from mmwsss.apis import compare, run_pipeline, train
from mmwsss.problems import ConfigError
from mmwsss.visualization.tables import spread

CAM = """
_base_ = {localizer!r}
model = dict(
    _delete_=True, type='CAMLocalizer', num_classes=2,
    data_preprocessor=dict(
        type='mmseg.SegDataPreProcessor', bgr_to_rgb=True, size_divisor=8),
    backbone=dict(type='TokenViT', img_size=48, patch_size=8, arch=dict(
        embed_dims=32, num_layers=2, num_heads=2, feedforward_channels=64)))
only_here = 'a'
"""


def test_masks_first_and_the_segmentor_later(
        localizer_config, segmentor_config, affinity_config, tmp_path,
        monkeypatch):
    """What ends with the masks is not run again by a longer path."""
    work_dir = str(tmp_path / 'all')
    options = dict(work_dir=work_dir, affinity=affinity_config, crf=True)
    trained = []
    monkeypatch.setattr('mmwsss.apis.stages.train', lambda cfg, **options: (
        trained.append(osp.basename(cfg.work_dir)), train(cfg, **options)))
    masks = run_pipeline(localizer_config, None, **options)
    assert list(masks)[-1] == 'affinity_val'
    whole = run_pipeline(localizer_config, segmentor_config, **options)
    assert trained == ['localizer', 'affinity', 'segmentor']
    assert {name: whole[name] for name in masks} == masks
    row, = compare([localizer_config], None, str(tmp_path / 'table'),
                   seeds=[0])
    assert list(row['scores']) == ['mAP val', 'seeds train', 'seeds val']


def test_localizers_of_one_name(localizer_config, segmentor_config,
                                tmp_path):
    with pytest.raises(ConfigError, match='two localizers of this name'):
        compare([localizer_config] * 2, segmentor_config,
                str(tmp_path / 'table'))


def test_two_localizers_two_seeds_one_table(
        localizer_config, segmentor_config, tmp_path):
    cam = tmp_path / 'cam.py'
    cam.write_text(CAM.format(localizer=localizer_config))
    work_dir = str(tmp_path / 'table')
    options = {'only_here': 'b', 'train_cfg.val_interval': 1}
    rows = compare([localizer_config, str(cam)], segmentor_config, work_dir,
                   seeds=(0, 1), cfg_options=options)
    assert [row['name'] for row in rows] == ['localizer', 'cam']
    for row in rows:
        assert all(len(values) == 2 for values in row['scores'].values())
        assert list(row['scores']) == ['mAP val', 'seeds train', 'seeds val',
                                       'segmentor val']
        folder = osp.join(work_dir, row['name'])
        for seed in (0, 1):
            with open(osp.join(folder, f'seed_{seed}', 'pseudo_val',
                               'scores.json')) as file:
                best = json.load(file)['best_mIoU']
            assert row['scores']['seeds val'][seed] == best
    # Another seed is another training.
    assert rows[1]['scores']['mAP val'][0] != rows[1]['scores']['mAP val'][1]
    text = open(osp.join(work_dir, 'comparison.md')).read()
    assert spread(rows[1]['scores']['seeds val']) in text
    page = open(osp.join(work_dir, 'report.html')).read()
    assert 'Methods side by side' in page
    assert spread(rows[1]['scores']['seeds val']) in page
    assert 'cam, seed 1: How good it is' in page
    # Nothing is done twice.
    time = os.stat(osp.join(work_dir, 'cam', 'seed_1', 'test',
                            'stage.json')).st_mtime_ns
    assert compare([localizer_config, str(cam)], segmentor_config, work_dir,
                   seeds=(0, 1), cfg_options=options) == rows
    assert os.stat(osp.join(work_dir, 'cam', 'seed_1', 'test',
                            'stage.json')).st_mtime_ns == time


@pytest.mark.parametrize('change', [
    "num_classes=2", "num_classes=3"])
def test_the_last_path_is_checked_before_the_first_trains(
        change, localizer_config, tmp_path, monkeypatch):
    begun = []
    monkeypatch.setattr('mmwsss.apis.comparison.run_pipeline',
                        lambda *args: begun.append(args) or {})
    monkeypatch.setattr('mmwsss.apis.comparison.write_report', str)
    cam = tmp_path / 'cam.py'
    cam.write_text(CAM.format(localizer=localizer_config).replace(
        'num_classes=2', change))
    args = ([localizer_config, str(cam)], None, str(tmp_path / 'table'), [0])
    if change == 'num_classes=2':
        compare(*args)
        assert len(begun) == 2
        return
    with pytest.raises(ConfigError, match='model.num_classes=3'):
        compare(*args)
    assert not begun


def test_an_option_that_no_config_has(localizer_config, segmentor_config,
                                      tmp_path):
    for call in (compare, lambda paths, *rest, **options: run_pipeline(
            paths[0], *rest, **options)):
        with pytest.raises(ConfigError, match="'data_rot'.*'data_root'"):
            call([localizer_config], segmentor_config, str(tmp_path / 'x'),
                 cfg_options=dict(data_rot='/d'))


@pytest.mark.parametrize('values, text', [
    ([], '-'), ([58.71], '58.7 (1)'), ([1., 3.], '2.0 ± 1.4 (2)')])
def test_spread(values, text):
    assert spread(values) == text
