"""Doubtful labels of photos: real tiny runs and bad inputs."""
import csv
import json
import os.path as osp
import shutil

import pytest
import torch
from command_lines import logged, run_tool
from PIL import Image
from shapes import SHAPES_LOCALIZER, make_shapes, write_config

from mmwsss.apis import find_doubtful_labels, load_config, run_pipeline
from mmwsss.apis.stages import CheckLabels, run_stages
from mmwsss.files.json_files import read_json
from mmwsss.models import TokenViT
from mmwsss.problems import ConfigError, DataError

WRONG = 4  # a red square that is called blue


def write_labels(root, labels):
    with open(osp.join(root, 'labels.csv'), 'w') as file:
        file.write('image,labels\n' + ''.join(
            f'img{i}.jpg,{text}\n' for i, text in enumerate(labels)))


@pytest.fixture
def project(tmp_path):
    """A localizer's config for 24 photos, one of them with a wrong label."""
    root = make_shapes(tmp_path / 'shapes', count=24)
    labels = ['red', 'blue'] * 12
    labels[WRONG] = 'blue'
    write_labels(root, labels)
    weights = str(tmp_path / 'vit.pth')
    torch.manual_seed(0)
    torch.save(TokenViT(
        img_size=48, patch_size=8,
        arch=dict(embed_dims=32, num_layers=3, num_heads=2,
                  feedforward_channels=64)).state_dict(), weights)
    path = write_config(tmp_path / 'localizer.py', SHAPES_LOCALIZER, root)

    def read(**options):
        options.setdefault('model.backbone.pretrained', weights)
        return load_config(path, options, str(tmp_path / 'work'))
    read.path, read.root, read.weights = path, root, weights
    return read


def test_the_wrong_label_is_listed_first(project, tmp_path):
    out_dir = str(tmp_path / 'out')
    report = find_doubtful_labels(project(), out_dir)
    assert {row['image'] for row in report['rows'][:2]} == {f'img{WRONG}'}
    assert {(row['class'], row['tagged']) for row in report['rows'][:2]} == {
        ('red', False), ('blue', True)}
    doubts = [row['doubt'] for row in report['rows']]
    assert doubts == sorted(doubts, reverse=True)
    assert all(0.5 <= doubt <= 1 for doubt in doubts)
    assert report['photos'] == 24 and report['folds'] == 5
    assert report['caution'] is None and report['left_out'] == {}
    assert 'vit.pth' in report['features']
    assert osp.isfile(report['rows'][0]['path'])
    with open(osp.join(out_dir, 'doubtful_labels.json')) as file:
        assert json.load(file) == report
    with open(osp.join(out_dir, 'doubtful_labels.csv'), newline='',
              encoding='utf-8-sig') as file:
        rows = list(csv.DictReader(file))
    assert [row['image'] for row in rows] == [
        row['image'] for row in report['rows']]
    assert {row['tagged'] for row in rows} <= {'yes', 'no'}


@pytest.mark.parametrize('share, most', [(0.05, 2), (0.2, 5), (1., 24)])
def test_few_photos_are_listed_however_many_are_doubted(project, tmp_path,
                                                        share, most, capsys):
    # Nothing on the photos says which is which, so that half are doubted.
    write_labels(project.root, ['red', 'red', 'blue', 'blue'] * 6)
    assert run_tool(
        'analysis/doubtful_labels', project.path, '--share', str(share),
        '--out-dir', str(tmp_path), '--cfg-options',
        f'model.backbone.pretrained={project.weights}') is None
    report = read_json(tmp_path / 'doubtful_labels.json')
    photos = {row['image'] for row in report['rows']}
    assert len(photos) == most if share < 1 else 5 < len(photos) <= most
    assert report['share'] == share
    assert f'on {len(photos)} of 24 photos' in capsys.readouterr().out


def test_workers_change_nothing_and_the_config_is_left_alone(project,
                                                             tmp_path):
    reports = []
    for workers in (0, 2):
        cfg = project(localize_workers=workers)
        before = cfg.to_dict()
        reports.append(find_doubtful_labels(cfg, str(tmp_path / 'out')))
        assert cfg.to_dict() == before
    assert reports[0] == reports[1]


def test_large_photos_are_made_smaller(project, tmp_path, monkeypatch):
    shutil.rmtree(osp.join(project.root, 'SegmentationClassAug'))
    for i in range(24):
        path = osp.join(project.root, 'JPEGImages', f'img{i}.jpg')
        Image.open(path).resize((640, 96)).save(path)
    sizes = set()
    real = TokenViT.forward

    def forward(self, images):
        sizes.add(tuple(images.shape[2:]))
        return real(self, images)
    monkeypatch.setattr(TokenViT, 'forward', forward)
    find_doubtful_labels(project(), str(tmp_path / 'out'))
    find_doubtful_labels(project(max_side=64), str(tmp_path / 'out'))
    assert sizes == {(48, 320), (8, 64)}


def test_a_localizers_scores_stand_in(project, trained_checkpoint, tmp_path):
    cfg = project(**{'model.backbone.pretrained': None})
    report = find_doubtful_labels(cfg, str(tmp_path / 'out'),
                                  trained_checkpoint)
    assert 'learnt from these very labels' in report['caution']
    assert report['folds'] is None
    assert osp.basename(trained_checkpoint) in report['features']
    held_out = find_doubtful_labels(cfg, str(tmp_path / 'out'),
                                    trained_checkpoint, split='val')
    assert held_out['caution'] is None


@pytest.mark.parametrize('labels, judged', [
    (['red'] * 24, []),
    (['red;blue'] * 24, []),
    (['red;blue'] * 3 + ['blue'] * 21, []),
    (['red;blue'] * 9 + ['blue'] * 15, ['red']),
], ids=['one class', 'all tagged with all', 'too few', 'one can be judged'])
def test_classes_that_cannot_be_judged_are_named(project, tmp_path, labels,
                                                 judged):
    write_labels(project.root, labels)
    with logged() as lines:
        report = find_doubtful_labels(project(), str(tmp_path / 'out'))
    left_out = {'red', 'blue'} - set(judged)
    assert set(report['left_out']) == left_out
    assert {row['class'] for row in report['rows']} <= set(judged)
    assert bool(judged) == (report['caution'] is None)
    for name in left_out:
        assert any(line.startswith(f'{name}: labels not judged')
                   for line in lines)


def test_five_photos_are_no_error(tmp_path, project):
    with open(osp.join(project.root, 'lists', 'few.txt'), 'w') as file:
        file.write('\n'.join(f'img{i}' for i in range(5)))
    report = find_doubtful_labels(project(), str(tmp_path / 'out'),
                                  split='lists/few.txt')
    assert report['rows'] == [] and report['photos'] == 5
    assert set(report['left_out']) == {'red', 'blue'}
    assert 'nothing was judged' in report['caution']


@pytest.mark.parametrize('options, arguments, message', [
    ({}, dict(folds=1), 'folds=1: give at least 2'),
    ({}, dict(share=0.), r'share=0.0: give a share of the photos'),
    ({}, dict(share=5.), r'share=5.0: give a share of the photos'),
    ({}, dict(share=float('nan')), 'share=nan: give a share of the photos'),
    ({}, dict(split='trian'), "unknown split 'trian'"),
    ({'model.backbone.pretrained': None}, {}, 'pretrained names no weights'),
    ({'model.backbone.pretrained': 'none.pth'}, {}, 'none.pth: no such file'),
    ({}, dict(checkpoint='none.pth'), 'none.pth: no such file'),
])
def test_mistakes_are_named(project, tmp_path, options, arguments, message):
    with pytest.raises((ConfigError, FileNotFoundError), match=message):
        find_doubtful_labels(project(**options), str(tmp_path / 'out'),
                             **arguments)


def test_a_segmentors_config_is_refused(segmentor_config, tmp_path):
    cfg = load_config(segmentor_config)
    with pytest.raises(ConfigError, match='is no config of a localizer'):
        find_doubtful_labels(cfg, str(tmp_path / 'out'))


def test_a_damaged_photo_is_named(project, tmp_path):
    path = osp.join(project.root, 'JPEGImages', 'img3.jpg')
    with open(path, 'r+b') as file:
        file.truncate(400)
    with pytest.raises(DataError, match='img3.jpg'):
        find_doubtful_labels(project(), str(tmp_path / 'out'))


def test_the_stage_is_reused_until_the_labels_change(project, tmp_path):
    def stages():
        return [CheckLabels('doubtful_labels', project())]
    work_dir = str(tmp_path / 'run')
    results = run_stages(stages(), work_dir)
    assert results['doubtful_labels']['photos'] == 24
    path = osp.join(work_dir, 'doubtful_labels', 'doubtful_labels.json')
    before = open(path).read()
    with logged() as lines:
        assert run_stages(stages(), work_dir) == results
    assert any('re-used' in line for line in lines)
    write_labels(project.root, ['red', 'blue'] * 12)
    run_stages(stages(), work_dir)
    after = open(path).read()
    assert after != before
    state = torch.load(project.weights)
    torch.save({name: value + 0.01 * value.sign()
                for name, value in state.items()}, project.weights)
    with logged() as lines:
        run_stages(stages(), work_dir)
    assert any('is done again: ' in line and 'pretrained' in line
               for line in lines)


def test_a_pipelines_config_names_it(project, tmp_path):
    path = tmp_path / 'path.py'
    path.write_text(f'''
stages = [dict(type='CheckLabels', name='doubtful_labels', folds=4,
               config='localizer.py', options={{
                   'model.backbone.pretrained': {project.weights!r}}})]
''')
    results = run_pipeline(str(path), None, str(tmp_path / 'run'))
    assert results['doubtful_labels']['folds'] == 4
    assert osp.isfile(tmp_path / 'run' / 'doubtful_labels' /
                      'doubtful_labels.csv')


def test_command_line(project, tmp_path, capsys):
    out_dir = str(tmp_path / 'list')
    arguments = ('analysis/doubtful_labels', project.path, '--out-dir',
                 out_dir, '--cfg-options')
    assert run_tool(*arguments,
                    f'model.backbone.pretrained={project.weights}') is None
    printed = capsys.readouterr().out
    assert f'img{WRONG}: tagged blue' in printed
    assert '2 labels to look at, on 1 of 24 photos' in printed
    assert osp.join(out_dir, 'doubtful_labels.csv') in printed.replace(
        '\n', '')
    stop = run_tool(*arguments, 'model.backbone.pretrained=none.pth')
    assert stop.startswith('error: ') and '\n' not in stop
