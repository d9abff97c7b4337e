"""The whole path by one command: pipeline with affinity, comparison table."""
import copy
import json
import os
import os.path as osp

import pytest
from shapes import AFFINITY, ROOT

from mmwsss.apis import compare, run_pipeline, train
from mmwsss.apis.comparison import spread
from mmwsss.problems import ConfigError

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


@pytest.fixture
def affinity_config(shapes, tmp_path):
    """A tiny IRN whose maps come from the pipeline."""
    path = tmp_path / 'irn.py'
    path.write_text(AFFINITY.format(
        root=ROOT, name='irn_deit-tiny_voc', data_root=shapes,
        maps=str(tmp_path / 'maps')))
    return str(path)


def test_affinity_and_crf_in_the_pipeline(localizer_config, segmentor_config,
                                          affinity_config, tmp_path,
                                          monkeypatch):
    work_dir = str(tmp_path / 'all')
    trained = []
    monkeypatch.setattr('mmwsss.apis.stages.train', lambda cfg, **options: (
        trained.append(copy.deepcopy(cfg)), train(cfg, **options)))
    results = run_pipeline(localizer_config, segmentor_config, work_dir,
                           affinity=affinity_config, crf=True)
    assert list(results) == [
        'localizer', 'pseudo_train', 'pseudo_val', 'crf_train', 'crf_val',
        'affinity', 'affinity_train', 'affinity_val', 'segmentor', 'test']
    assert {'mIoU', 'crf/mIoU'} <= set(results['test'])
    _, affinity, segmentor = trained
    # The segmentor learned from the refined masks, ...
    assert segmentor.train_dataloader.dataset.masks == osp.join(
        work_dir, 'affinity_train', 'masks')
    # ... the affinity from the maps, sure around their best threshold.
    dataset = affinity.train_dataloader.dataset
    assert dataset['maps'] == osp.join(work_dir, 'pseudo_train', 'maps')
    best = results['pseudo_train']['best_threshold']
    step = dataset.pipeline[2]
    assert step.foreground.background == pytest.approx(min(best + 0.07, 0.98))
    assert step.background.background == pytest.approx(max(best - 0.13, 0.02))
    # Everything is inside the folder.
    assert step.cache == osp.join(work_dir, 'sure_labels')
    assert len(os.listdir(step.cache)) >= 8


def test_crf_added_later_trains_nothing_again(localizer_config,
                                              segmentor_config, tmp_path,
                                              monkeypatch):
    work_dir = str(tmp_path / 'all')
    first = run_pipeline(localizer_config, segmentor_config, work_dir)
    monkeypatch.setattr('mmwsss.apis.stages.train', None)
    second = run_pipeline(localizer_config, segmentor_config, work_dir,
                          crf=True)
    assert second['segmentor'] == first['segmentor']
    assert {'crf_train', 'crf_val'} <= set(second)
    assert 'crf/mIoU' in second['test']
    assert run_pipeline(localizer_config, segmentor_config,
                        work_dir)['segmentor'] == first['segmentor']


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


def test_files_of_something_else_are_left_alone(localizer_config,
                                                segmentor_config, tmp_path):
    theirs = tmp_path / 'all' / 'localizer' / 'best.pth'
    theirs.parent.mkdir(parents=True)
    theirs.write_text('precious')
    with pytest.raises(ConfigError, match='localizer: holds files of'):
        run_pipeline(localizer_config, segmentor_config,
                     str(tmp_path / 'all'))
    assert theirs.read_text() == 'precious'


def test_what_the_test_lacks_shows_before_any_training(
        localizer_config, segmentor_config, tmp_path, monkeypatch):
    monkeypatch.setattr('mmwsss.apis.stages.train', None)
    with open(segmentor_config, 'a') as file:
        file.write('\ntest_crf = None\n')
    with pytest.raises(ConfigError, match='--crf: the config has no'):
        run_pipeline(localizer_config, segmentor_config,
                     str(tmp_path / 'all'), crf=True)


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
    # Nothing is done twice.
    time = os.stat(osp.join(work_dir, 'cam', 'seed_1', 'test',
                            'stage.json')).st_mtime_ns
    assert compare([localizer_config, str(cam)], segmentor_config, work_dir,
                   seeds=(0, 1), cfg_options=options) == rows
    assert os.stat(osp.join(work_dir, 'cam', 'seed_1', 'test',
                            'stage.json')).st_mtime_ns == time


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
