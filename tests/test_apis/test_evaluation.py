"""Scores of folders of masks and maps."""
import io
import json
import os
import os.path as osp
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from shapes import ROOT

from mmwsss.apis import evaluate_pseudo_labels
from mmwsss.files.maps import read_map_dict, write_map
from mmwsss.files.masks import write_mask
from mmwsss.problems import DataError

CLASSES = ('red', 'blue')
PALETTE = [[0, 0, 0], [255, 0, 0], [0, 0, 255]]


@pytest.fixture
def truth(tmp_path):
    """A folder with the masks of two images."""
    folder = str(tmp_path / 'truth')
    write_mask(osp.join(folder, 'a.png'),
               np.array([[0, 1, 1, 255], [0, 0, 1, 2]]), PALETTE)
    write_mask(osp.join(folder, 'b.png'), np.array([[0, 2]]), PALETTE)
    return folder


def test_masks(truth, tmp_path):
    folder = str(tmp_path / 'masks')
    write_mask(osp.join(folder, 'a.png'),
               np.array([[0, 1, 0, 1], [0, 1, 255, 2]]), PALETTE)
    write_mask(osp.join(folder, 'b.png'), np.array([[0, 2]]), PALETTE)
    write_mask(osp.join(folder, 'without_truth.png'), np.array([[1]]), PALETTE)
    report = evaluate_pseudo_labels(folder, truth, CLASSES,
                                    out_dir=str(tmp_path / 'out'),
                                    allow_missing=True)
    # By hand; the pixel under the true 255 and the predicted 255 do not count.
    assert report['images'] == 2
    assert report['IoU'] == dict(background=60., red=33.3333, blue=100.)
    assert report['precision'] == dict(background=75., red=50., blue=100.)
    assert report['recall'] == dict(background=75., red=50., blue=100.)
    assert report['false_positive_rate']['red'] == 33.3333
    assert report['false_negative_rate']['background'] == 20.
    assert report['ignored'] == round(100 / 9, 4)
    with open(tmp_path / 'out' / 'evaluation.json') as file:
        assert json.load(file) == report
    only = evaluate_pseudo_labels(folder, truth, CLASSES, ['red', 'blue'],
                                  allow_missing=True)
    assert only['mIoU'] == pytest.approx((100 + 100 / 3) / 2, abs=1e-3)


def test_maps_of_all_three_layouts_score_alike(truth, tmp_path):
    rng = np.random.default_rng(0)
    # Values that 8 bits hold exactly.
    maps = dict(a=rng.integers(0, 256, (2, 2, 4)).astype(np.float32) / 255,
                b=rng.integers(0, 256, (2, 1, 2)).astype(np.float32) / 255)
    layouts = {name: str(tmp_path / name)
               for name in ('npz', 'mctformer', 'irn')}
    for folder in layouts.values():
        os.makedirs(folder)
    for name, values in maps.items():
        write_map(osp.join(layouts['npz'], f'{name}.npz'), values, [0, 1])
        np.save(osp.join(layouts['mctformer'], f'{name}.npy'),
                {1: values[1], 0: values[0]})
        np.save(osp.join(layouts['irn'], f'{name}.npy'),
                dict(keys=np.array([0, 1]), high_res=values,
                     cam=values[:, ::2]))
    reports = [evaluate_pseudo_labels(folder, truth, CLASSES,
                                      out_dir=str(tmp_path / 'out'))
               for folder in layouts.values()]
    assert reports[0] == reports[1] == reports[2]
    curve = reports[0]['mIoU_curve']
    assert len(curve) == 100 and reports[0]['mIoU'] == max(curve.values())
    Image.open(tmp_path / 'out' / 'threshold_curve.png').verify()


def test_all_wrong_files_are_named_together(truth, tmp_path):
    folder = str(tmp_path / 'masks')
    write_mask(osp.join(folder, 'a.png'), np.zeros((2, 5)), PALETTE)
    write_mask(osp.join(folder, 'b.png'), np.array([[0, 7]]), PALETTE)
    with pytest.raises(DataError) as error:
        evaluate_pseudo_labels(folder, truth, CLASSES)
    assert '2 x 5' in str(error.value) and 'value 7' in str(error.value)


class Evil:
    def __reduce__(self):
        return os.mkdir, ('evil_was_here', )


def test_a_pickle_cannot_run_code(truth, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / 'maps'
    folder.mkdir()
    np.save(folder / 'a.npy', {0: Evil()}, allow_pickle=True)
    assert b'mkdir' in pickle.dumps(Evil())
    with pytest.raises(DataError, match='refused'):
        evaluate_pseudo_labels(str(folder), truth, CLASSES,
                               allow_missing=True)
    assert not osp.exists('evil_was_here')


class EvilTensor:
    """What a tensor's bytes would be, had they been made to run code."""

    def __reduce__(self):
        buffer = io.BytesIO()
        torch.save(Evil(), buffer)
        return torch.storage._load_from_bytes, (buffer.getvalue(), )


def test_tensors_are_read_and_cannot_run_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    maps = torch.rand(2, 6, 8)
    np.save('irn.npy', {'keys': torch.tensor([3, 7]), 'cam': maps[:, ::2],
                        'high_res': maps.numpy()}, allow_pickle=True)
    file = read_map_dict('irn.npy')
    assert file.labels.tolist() == [3, 7]
    assert np.array_equal(file.maps, maps.numpy())
    np.save('evil.npy', {0: EvilTensor()}, allow_pickle=True)
    with pytest.raises(DataError, match='evil.npy: refused.*code inside a '
                       'tensor'):
        read_map_dict('evil.npy')
    assert not osp.exists('evil_was_here')


@pytest.mark.parametrize('content', [
    {'keys': np.array([0])}, {0: np.zeros((2, 4)), 1: np.zeros((3, 3))},
    {'keys': np.array([0, 1]), 'high_res': np.zeros((1, 2, 4))}])
def test_other_dicts_are_refused(truth, tmp_path, content):
    np.save(tmp_path / 'a.npy', content)
    with pytest.raises(DataError, match='a.npy: neither'):
        evaluate_pseudo_labels(str(tmp_path), truth, CLASSES,
                               allow_missing=True)


def test_nothing_to_score(truth, tmp_path):
    with pytest.raises(DataError, match='no such folder'):
        evaluate_pseudo_labels(str(tmp_path / 'none'), truth, CLASSES)
    (tmp_path / 'empty').mkdir()
    with pytest.raises(DataError, match='holds no .npz'):
        evaluate_pseudo_labels(str(tmp_path / 'empty'), truth, CLASSES)
    with pytest.raises(DataError, match='holds no mask for any'):
        evaluate_pseudo_labels(truth, str(tmp_path / 'empty'), CLASSES)


def test_command_line(truth, tmp_path):
    classes = tmp_path / 'classes.txt'
    classes.write_text('red\nblue\n')
    done = subprocess.run(
        [sys.executable, osp.join(ROOT, 'tools', 'eval_pseudo.py'), truth,
         '--gt', truth, '--classes', str(classes)],
        capture_output=True, text=True, check=False,
        env=dict(os.environ, PYTHONPATH=ROOT))
    assert done.returncode == 0, done.stderr
    assert 'mIoU 100.00 over 2 images' in done.stdout


@pytest.mark.parametrize('extra, missing', [(True, False), (False, True),
                                            (True, True)])
def test_files_without_a_partner_are_named(truth, tmp_path, extra, missing):
    folder = str(tmp_path / 'masks')
    write_mask(osp.join(folder, 'a.png'),
               np.array([[0, 1, 1, 255], [0, 0, 1, 2]]), PALETTE)
    if not missing:
        write_mask(osp.join(folder, 'b.png'), np.array([[0, 2]]), PALETTE)
    if extra:
        write_mask(osp.join(folder, 'c.png'), np.array([[0, 2]]), PALETTE)
    with pytest.raises(DataError, match='score part of them with '
                       '--allow-missing') as error:
        evaluate_pseudo_labels(folder, truth, CLASSES)
    assert ('b.png: no .png file' in str(error.value)) == missing
    assert ('c.png: no true mask' in str(error.value)) == extra
    report = evaluate_pseudo_labels(folder, truth, CLASSES,
                                    allow_missing=True)
    assert report['images'] == 2 - missing and report['mIoU'] == 100


@pytest.mark.parametrize('function, message', [
    (lambda mask: mask * 0 + 255, 'no true mask has a known pixel'),
    (lambda mask: np.where(mask > 0, 255, 0), 'other than background'),
    (lambda mask: np.array([0, 38, 75])[mask % 3], 'values? 38'),
    (lambda mask: mask[:1, :1], '1 x 1')])
def test_a_truth_without_classes_has_no_score(truth, tmp_path, function,
                                              message):
    for name in ('a.png', 'b.png'):
        mask = np.asarray(Image.open(osp.join(truth, name)))
        write_mask(str(tmp_path / 'masks' / name), np.where(
            mask == 255, 0, mask), PALETTE)
        write_mask(osp.join(truth, name), function(mask), PALETTE)
    with pytest.raises(DataError, match=message):
        evaluate_pseudo_labels(str(tmp_path / 'masks'), truth, CLASSES)


def test_a_class_that_occurs_nowhere_is_null(tmp_path):
    for folder in ('masks', 'truth'):
        write_mask(str(tmp_path / folder / 'a.png'), np.array([[0, 1]]),
                   PALETTE)
    evaluate_pseudo_labels(str(tmp_path / 'masks'), str(tmp_path / 'truth'),
                           CLASSES, out_dir=str(tmp_path / 'out'))
    with open(tmp_path / 'out' / 'evaluation.json') as file:
        report = json.load(file, parse_constant=pytest.fail)
    assert report['IoU'] == dict(background=100, red=100, blue=None)
