"""The test of segmentors: tables, CRF, submissions."""
import json
import os
import os.path as osp
import tarfile
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from mmwsss.apis import load_config, train, write_submission
from mmwsss.apis import test as run_test
from mmwsss.apis.testing import _masks_line
from mmwsss.problems import ConfigError


@pytest.fixture
def segmentor(shapes, segmentor_config, tmp_path):
    """A trained segmentor: config and checkpoint."""
    (tmp_path / 'shapes' / 'lists' / 'test.txt').write_text('img1\nimg2\n')
    cfg = load_config(
        segmentor_config,
        {'pseudo_masks': osp.join(shapes, 'SegmentationClassAug'),
         'submission.ann_file': 'lists/test.txt'},
        str(tmp_path / 'run'))
    train(cfg)
    return cfg, osp.join(cfg.work_dir, 'iter_4.pth')


@pytest.mark.parametrize('folder', ['SegmentationClassAug', 'JPEGImages'])
def test_masks_never_replace_what_is_read(segmentor, shapes, folder):
    cfg, checkpoint = segmentor
    out = osp.join(shapes, folder)
    before = {path: path.read_bytes() for path in Path(out).iterdir()}
    with pytest.raises(ConfigError, match='--out .*which is read, lies'):
        run_test(cfg, checkpoint, out_dir=out)
    assert before == {path: path.read_bytes() for path in Path(out).iterdir()}


def test_plain_and_crf_scores_in_one_run(segmentor, tmp_path, capsys):
    cfg, checkpoint = segmentor
    out = str(tmp_path / 'masks')
    metrics = run_test(cfg, checkpoint, tta=True, out_dir=out, crf=True)
    *_, masks, scores = capsys.readouterr().out.splitlines()
    assert f'masks: {out}, ' in masks
    assert scores.endswith(f'scores: {cfg.work_dir}')
    assert {'mIoU', 'crf/mIoU'} <= set(metrics)
    for name, metric in (('test_scores', 'mIoU'),
                         ('test_scores_crf', 'crf/mIoU')):
        with open(osp.join(cfg.work_dir, f'{name}.json')) as file:
            report = json.load(file)
        assert report['tta'] is True and report['checkpoint'] == checkpoint
        assert set(report['IoU']) == {'background', 'red', 'blue'}
        assert report['mIoU'] == pytest.approx(metrics[metric], abs=0.01)
        assert report['metrics'][metric] == metrics[metric]
    mask = Image.open(osp.join(out, 'img0.png'))
    assert mask.mode == 'P' and mask.getpalette()[3:6] == [255, 0, 0]
    assert len(os.listdir(out)) == 8
    Image.open(str(tmp_path / 'masks_overlays.png')).verify()


@pytest.mark.parametrize('count, line', [
    (0, 'masks: none, there is no photo for DIR'),
    (1, 'masks: DIR, the one on SHEET'), (3, 'masks: DIR, all 3 on SHEET'),
    (12, 'masks: DIR, all 12 on SHEET'),
    (1449, 'masks: DIR, 12 of 1,449 on SHEET')])
def test_how_many_masks_are_on_the_sheet(count, line):
    assert _masks_line(count, 'DIR', 'SHEET') == line


def test_nothing_is_scored_without_true_masks(segmentor, tmp_path, capsys):
    cfg, checkpoint = segmentor
    cfg.test_dataloader.dataset.data_prefix.pop('seg_map_path')
    cfg.test_evaluator.format_only = True
    assert run_test(cfg, checkpoint, out_dir=str(tmp_path / 'masks')) == {}
    *_, masks, scores = capsys.readouterr().out.splitlines()
    assert 'masks, all 8 on ' in masks and 'twelve' not in masks
    assert 'no scores, as there are no true masks' in scores
    assert not osp.exists(osp.join(cfg.work_dir, 'test_scores.json'))


@pytest.mark.parametrize('name', ['voc.zip', 'voc.tgz'])
def test_submission_of_photos_without_masks(segmentor, shapes, tmp_path,
                                            name):
    cfg, checkpoint = segmentor
    for image in ('img1', 'img2'):
        os.remove(osp.join(shapes, 'SegmentationClassAug', f'{image}.png'))
    archive = str(tmp_path / name)
    assert write_submission(cfg, checkpoint, archive, tta=True) == 2
    opened = (zipfile.ZipFile(archive).namelist() if name.endswith('zip')
              else tarfile.open(archive).getnames())
    assert sorted(opened) == [
        f'results/VOC2012/Segmentation/comp5_test_cls/{image}.png'
        for image in ('img1', 'img2')]


def test_wrong_requests_end_before_any_work(segmentor):
    cfg, checkpoint = segmentor
    with pytest.raises(ConfigError, match='voc.rar: end it with'):
        write_submission(cfg, checkpoint, 'voc.rar')
    for key, call, message in (
            ('test_crf', lambda: run_test(cfg, checkpoint, crf=True),
             'no test_crf'),
            ('submission', lambda: write_submission(cfg, checkpoint, 'a.zip'),
             'no submission')):
        cfg.pop(key)
        with pytest.raises(ConfigError, match=message):
            call()
    cfg.submission = dict(ann_file='lists/none.txt', folder='x')
    with pytest.raises(ConfigError, match='no list of photos .*none.txt'):
        write_submission(cfg, checkpoint, 'a.zip')
    cfg.test_crf = dict()
    cfg.tta_model = dict(type='mmseg.SegTTAModel')
    with pytest.raises(ConfigError, match='WSSSegTTA'):
        run_test(cfg, checkpoint, tta=True, crf=True)
