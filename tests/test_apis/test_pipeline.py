"""The whole path in one call."""
import copy
import glob
import json
import os
import os.path as osp
import shutil

import pytest

from mmwsss.apis import (
    generate_pseudo_labels,
    load_config,
    run_pipeline,
    train,
)
from mmwsss.apis.pipeline import path_stages
from mmwsss.problems import ConfigError, DataError


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
    # Where there are true masks, each split has its best threshold.
    assert all(scores['threshold'] == scores['best_threshold']
               for name, scores in results.items()
               if name.endswith(('_train', '_val')))
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


def test_without_masks_the_found_threshold_is_followed(
        localizer_config, affinity_config, shapes, tmp_path, monkeypatch):
    shutil.rmtree(osp.join(shapes, 'SegmentationClassAug'))
    work_dir, refined, taken = str(tmp_path / 'all'), [], []

    def generate(cfg, *args, **options):
        taken.append(options['found'])
        refined.extend(copy.deepcopy(cfg.get('refiners', [])))
        return generate_pseudo_labels(cfg, *args, **options)

    monkeypatch.setattr('mmwsss.apis.stages.generate_pseudo_labels', generate)
    results = run_pipeline(localizer_config, None, work_dir, crf=True)
    found = results['pseudo_train']
    assert found['threshold_rule'] == 'auto' and 'mIoU' not in found
    assert found['threshold'] != 0.4  # nobody's guess
    assert [crf.background for crf in refined] == [found['threshold']] * 2
    # One threshold rules all photos: that of the training photos.
    refound = results['crf_train']['threshold']
    assert taken == [None, found['threshold'], None, refound]
    assert results['pseudo_val']['threshold'] == found['threshold']
    assert results['crf_val']['threshold'] == refound
    # The second run takes the same stages for finished.
    assert run_pipeline(localizer_config, None, work_dir, crf=True) == results
    for stage in path_stages(localizer_config, None, work_dir,
                             affinity=affinity_config):
        if stage.name == 'affinity':
            cfg = copy.deepcopy(stage.config)
            stage.adapt(cfg, dict(threshold=found))
            step = cfg.train_dataloader.dataset.pipeline[2]
            assert step.foreground.background == pytest.approx(
                found['threshold'] + 0.07)


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


def test_pipeline_reuses_finished_stages(localizer_config, segmentor_config,
                                         tmp_path, monkeypatch):
    work_dir = str(tmp_path / 'all')
    lines = []
    with monkeypatch.context() as patch:
        patch.setattr('mmwsss.apis.pipeline.print_log',
                      lambda line, *_: lines.append(line))
        first = run_pipeline(localizer_config, segmentor_config, work_dir)
    # The end says what was made, how good it is and where to look.
    assert lines[-3].startswith('masks: 8 in ')
    good = first['pseudo_train']['mIoU']
    assert lines[-2].startswith(f'mIoU: pseudo_train {good:.1f} %')
    page = osp.join(work_dir, 'report.html')
    assert lines[-1] == f'report: {page}'
    text = open(page, encoding='utf-8').read()
    for part in ('AP', 'How far masks agree',
                 'Losses of the segmentation network'):
        assert part in text
    assert set(first) == {'localizer', 'pseudo_train', 'pseudo_val',
                          'segmentor', 'test'}
    times = file_times(work_dir)
    second = run_pipeline(localizer_config, segmentor_config, work_dir)
    assert second == first
    assert file_times(work_dir) == times
    # Another setting of the last stages leaves the first ones alone.
    text = open(segmentor_config).read()
    with open(segmentor_config, 'w') as file:
        file.write(text.replace('max_iters=4', 'max_iters=3'))
    with pytest.raises(ConfigError, match='max_iters: 4 -> 3'):
        run_pipeline(localizer_config, segmentor_config, work_dir)
    run_pipeline(localizer_config, segmentor_config, work_dir, overwrite=True)
    after = file_times(work_dir)
    changed = {osp.relpath(path, work_dir).split(os.sep)[0]
               for path in times if after.get(path) != times[path]}
    assert changed == {'segmentor', 'test', 'report.html'}


def file_times(folder):
    """Times of all files but the logs, which every run adds to."""
    paths = glob.glob(osp.join(folder, '**', '*'), recursive=True)
    return {path: os.stat(path).st_mtime_ns for path in paths
            if osp.isfile(path) and not path.endswith('.log')}


def test_without_held_out_photos_and_without_masks(
        localizer_config, segmentor_config, affinity_config, shapes,
        tmp_path):
    """Own photos: a threshold that is given is used in every stage."""
    shutil.rmtree(osp.join(shapes, 'SegmentationClassAug'))
    with open(localizer_config, 'a') as file:
        file.write('\nval_dataloader = val_cfg = val_evaluator = None\n'
                   'default_hooks = dict(checkpoint=dict(save_best=None))\n')
    with open(segmentor_config, 'a') as file:
        file.write('''
val_dataloader = val_cfg = val_evaluator = None
test_dataloader = dict(dataset=dict(
    _delete_=True, type='PhotoFolder', metainfo=shapes, data_root=data_root,
    data_prefix=dict(img_path='JPEGImages'), ann_file='',
    pipeline={{_base_.test_pipeline}}), **loader)
test_evaluator = dict(format_only=True)
''')
    with open(affinity_config, 'a') as file:
        file.write('\nval_list = None\n')
    work_dir = str(tmp_path / 'all')
    arguments = (localizer_config, segmentor_config, work_dir, None,
                 affinity_config)
    results = run_pipeline(*arguments, threshold=0.3)
    assert list(results) == ['localizer', 'pseudo_train', 'affinity',
                             'affinity_train', 'segmentor', 'test']
    for name in ('pseudo_train', 'affinity_train'):
        assert results[name]['threshold'] == 0.3
    with pytest.raises(ConfigError, match='threshold: 0.3 -> 0.5'):
        run_pipeline(*arguments, threshold=0.5)


@pytest.mark.parametrize('classes', [
    "'background', 'blue', 'red'", "'background', 'cat', 'horse'"])
@pytest.mark.parametrize('which', ['segmentor', 'affinity'])
def test_classes_keep_their_names_along_the_path(
        localizer_config, segmentor_config, affinity_config, tmp_path, which,
        classes):
    path = segmentor_config if which == 'segmentor' else affinity_config
    with open(path) as file:
        text = file.read()
    assert "'background', 'red', 'blue'" in text
    with open(path, 'w') as file:
        file.write(text.replace("'background', 'red', 'blue'", classes))
    work_dir = tmp_path / 'run'
    with pytest.raises(ConfigError, match='its classes .* are not those of'):
        run_pipeline(localizer_config, segmentor_config, str(work_dir),
                     affinity=affinity_config if which == 'affinity' else None)
    assert not work_dir.exists() or not any(work_dir.iterdir())


def test_masks_of_other_classes_are_not_learned(
        segmentor_config, shapes, tmp_path):
    folder = tmp_path / 'pseudo'
    shutil.copytree(osp.join(shapes, 'SegmentationClassAug'),
                    folder / 'masks')
    for classes, stops in ((['background', 'blue', 'red'], True),
                           (['background', 'red', 'blue'], False)):
        (folder / 'photos.json').write_text(json.dumps(dict(classes=classes)))
        cfg = load_config(segmentor_config, {
            'pseudo_masks': str(folder / 'masks'), 'train_cfg.max_iters': 1,
            'train_cfg.val_interval': 1}, str(tmp_path / 'run'))
        if stops:
            with pytest.raises(DataError, match='masks: made for 3 classes'):
                train(cfg)
        else:
            assert train(cfg).iter == 1
