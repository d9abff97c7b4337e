"""Real training, generation and testing, on data made in seconds."""
import glob
import os
import os.path as osp
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from command_lines import run_tool
from PIL import Image
from shapes import ROOT, train_losses

from mmwsss.apis import (
    best_checkpoint,
    generate_pseudo_labels,
    load_config,
    train,
)
from mmwsss.apis import test as run_test
from mmwsss.files.maps import read_map, read_map_dict
from mmwsss.problems import ConfigError, DataError


def test_training_learns_and_writes_heat_maps(localizer_config, tmp_path):
    losses = train_losses(localizer_config, tmp_path / 'run',
                          **{'train_cfg.max_epochs': 8})
    assert losses[-1]['loss_patch'] < 0.8 * losses[0]['loss_patch']
    pictures = glob.glob(osp.join(str(tmp_path), 'run', '*', 'vis_data',
                                  'vis_image', 'localization_*.png'))
    assert len(pictures) == 4 * 8  # images x validations
    assert 'best_multi-label_mAP' in best_checkpoint(str(tmp_path / 'run'))


def test_image_language_context(localizer_config, shapes, tmp_path):
    rng = np.random.default_rng(0)
    text, images = str(tmp_path / 'text.npz'), str(tmp_path / 'images.npz')
    np.savez(text, names=['red', 'blue'], embeddings=rng.normal(size=(2, 16)),
             model='none', prompt='{}')
    np.savez(images, names=[f'img{i}' for i in range(8)],
             embeddings=rng.normal(size=(8, 16)))
    path = tmp_path / 'context.py'
    path.write_text(f"""
_base_ = {localizer_config!r}
image_embeddings = {images!r}
model = dict(textual_tokens=dict(text_embeddings={text!r},
                                 image_context=True))
train_dataloader = dict(dataset=dict(image_embeddings=image_embeddings))
val_dataloader = dict(dataset=dict(image_embeddings=image_embeddings))
""")
    cfg = load_config(str(path), work_dir=str(tmp_path / 'run'))
    runner = train(cfg)
    # It starts at zero: a gradient has reached it.
    context = runner.model.textual_tokens.context[-1].weight
    assert context.abs().max() > 0
    report = generate_pseudo_labels(
        cfg, best_checkpoint(cfg.work_dir), str(tmp_path / 'pseudo'))
    assert report['images'] == 8

    np.savez(images, names=['img0'], embeddings=rng.normal(size=(1, 16)))
    with pytest.raises(DataError, match="no embedding of image 'img1'"):
        train(load_config(str(path), work_dir=str(tmp_path / 'again')))


def test_generate_train_test(trained, segmentor_config, shapes, tmp_path):
    cfg, checkpoint = trained
    out = str(tmp_path / 'pseudo')
    report = generate_pseudo_labels(cfg, checkpoint, out)
    assert report['images'] == report['images_with_masks'] == 8
    assert report['best_mIoU'] == max(report['mIoU_curve'].values())
    for name in ('threshold_curve.png', 'overlays.png'):
        Image.open(osp.join(out, name)).verify()
    file = read_map(osp.join(out, 'maps', 'img1.npz'))
    assert file.labels.tolist() == [1] and file.size == (48, 64)
    mask = Image.open(osp.join(out, 'masks', 'img1.png'))
    assert mask.mode == 'P' and mask.getpalette()[6:9] == [0, 0, 255]
    assert set(np.unique(mask)) <= {0, 2}

    seg = load_config(segmentor_config,
                      dict(pseudo_masks=osp.join(out, 'masks')),
                      str(tmp_path / 'segmentor'))
    train(seg)
    scores = run_test(seg, best_checkpoint(seg.work_dir), tta=True,
                  out_dir=str(tmp_path / 'predictions'))
    assert 0 <= scores['mIoU'] <= 100
    assert len(os.listdir(tmp_path / 'predictions')) == 8


def test_scores_are_those_of_the_written_masks(trained, shapes, tmp_path):
    cfg, checkpoint = trained
    out = str(tmp_path / 'pseudo')
    report = generate_pseudo_labels(cfg, checkpoint, out, threshold=0.35)
    confusion = np.zeros((3, 3))
    for path in glob.glob(osp.join(out, 'masks', '*.png')):
        mask = np.asarray(Image.open(path))
        truth = np.asarray(Image.open(osp.join(
            shapes, 'SegmentationClassAug', osp.basename(path))))
        np.add.at(confusion, (truth, mask), 1)
    hits = confusion.diagonal()
    iou = hits / (confusion.sum(0) + confusion.sum(1) - hits)
    assert report['mIoU'] == pytest.approx(100 * iou.mean(), abs=1e-3)
    assert report['threshold'] == 0.35


def test_generation_goes_on_where_it_stopped(trained, tmp_path):
    cfg, checkpoint = trained
    out = str(tmp_path / 'pseudo')
    generate_pseudo_labels(cfg, checkpoint, out)
    paths = sorted(glob.glob(osp.join(out, 'maps', '*')))
    before = [open(p, 'rb').read() for p in paths]
    os.remove(paths[3])
    kept = [os.stat(p).st_mtime_ns for p in paths[:3]]
    generate_pseudo_labels(cfg, checkpoint, out)
    assert [open(p, 'rb').read() for p in paths] == before
    assert [os.stat(p).st_mtime_ns for p in paths[:3]] == kept


def test_maps_of_two_checkpoints_are_not_mixed(trained, tmp_path):
    cfg, checkpoint = trained
    out = str(tmp_path / 'pseudo')
    generate_pseudo_labels(cfg, checkpoint, out)
    cfg.model.test_cfg.fusion = 'patch'
    with pytest.raises(ConfigError, match='other settings.*--overwrite'):
        generate_pseudo_labels(cfg, checkpoint, out)
    generate_pseudo_labels(cfg, checkpoint, out, overwrite=True)


@pytest.mark.parametrize('layout', ['mctformer', 'irn'])
def test_export_for_other_scripts(trained, tmp_path, layout):
    cfg, checkpoint = trained
    out = str(tmp_path / 'pseudo')
    generate_pseudo_labels(cfg, checkpoint, out, export_npy=layout)
    own = read_map(osp.join(out, 'maps', 'img1.npz'))
    path = osp.join(out, 'npy', 'img1.npy')
    other = read_map_dict(path)
    assert np.array_equal(own.maps, other.maps)
    assert own.labels.tolist() == other.labels.tolist() == [1]
    content = np.load(path, allow_pickle=True).item()
    if layout == 'irn':
        assert content['cam'].shape == (1, 12, 16)
        assert abs(content['cam'].mean() - own.maps.mean()) < 0.01
    else:
        assert list(content) == [1]
    with pytest.raises(ConfigError, match='export_npy'):
        generate_pseudo_labels(cfg, checkpoint, out, export_npy='numpy')


def test_stored_maps_are_refined_in_processes_as_in_one(
        trained, localizer_config, tmp_path):
    maps = str(tmp_path / 'plain' / 'maps')
    generate_pseudo_labels(*trained, str(tmp_path / 'plain'))
    config = tmp_path / 'refined.py'
    config.write_text(f'_base_ = {localizer_config!r}\nrefiners = '
                      "[dict(type='PAR', dilations=(1, 2))]\n")
    written = []
    for workers in (0, 1):
        cfg = load_config(str(config), {'refine_workers': workers},
                          str(tmp_path / 'run'))
        out = str(tmp_path / f'refined_{workers}')
        generate_pseudo_labels(cfg, None, out, maps=maps)
        written.append([open(path, 'rb').read() for path in sorted(
            glob.glob(osp.join(out, 'm*s', 'img*')))])
    assert written[0] == written[1] and len(written[0]) == 16
    assert written[0][0] != open(osp.join(maps, 'img0.npz'), 'rb').read()


def test_two_thresholds_and_photos_without_masks(trained, shapes, tmp_path):
    cfg, checkpoint = trained
    shutil.rmtree(osp.join(shapes, 'SegmentationClassAug'))
    out = str(tmp_path / 'b')
    report = generate_pseudo_labels(cfg, checkpoint, out, threshold=(.2, .6))
    assert 'mIoU' not in report and report['images_with_masks'] == 0
    assert report['threshold_rule'] == 'given'
    values = set()
    for path in glob.glob(osp.join(out, 'masks', '*.png')):
        values |= set(np.unique(np.asarray(Image.open(path))).tolist())
    assert values == {0, 1, 2, 255}


def test_checkpoint_of_another_class_count(trained, shapes, tmp_path):
    cfg, checkpoint = trained
    state = torch.load(checkpoint, weights_only=False)
    state['meta'].pop('dataset_meta')
    tokens = state['state_dict']['backbone.visual_tokens']
    state['state_dict']['backbone.visual_tokens'] = tokens.repeat(1, 2, 1)
    path = str(tmp_path / 'other.pth')
    torch.save(state, path)
    with pytest.raises(DataError, match=r'visual_tokens is \(1, 4, 32\), '
                       r'expected \(1, 2, 32\)'):
        generate_pseudo_labels(cfg, path, str(tmp_path / 'a'))


def test_checkpoint_of_other_classes(trained, shapes, tmp_path):
    cfg, checkpoint = trained
    path = osp.join(shapes, 'labels.csv')
    with open(path) as file:
        text = file.read()
    with open(path, 'w') as file:
        file.write(text.replace('blue', 'green'))
    cfg.train_dataloader.dataset.metainfo.classes = (
        'background', 'red', 'green')
    with pytest.raises(DataError, match='was trained for.*blue'):
        generate_pseudo_labels(cfg, checkpoint, str(tmp_path / 'a'))


def test_damaged_photo_is_named_in_training(localizer_config, shapes,
                                            tmp_path):
    path = osp.join(shapes, 'JPEGImages', 'img5.jpg')
    content = open(path, 'rb').read()
    with open(path, 'wb') as file:
        file.write(content[:-200])
    with pytest.raises(DataError, match='img5.jpg: damaged'):
        train(load_config(localizer_config, {}, str(tmp_path / 'run')))


def test_command_lines(localizer_config, shapes, tmp_path, capsys):
    work = tmp_path / 'run'
    # In a process of its own, which has imported nothing before.
    done = subprocess.run(
        [sys.executable, osp.join(ROOT, 'tools', 'train.py'),
         localizer_config, '--work-dir', work],
        capture_output=True, text=True, cwd=ROOT,
        env=dict(os.environ, PYTHONPATH=ROOT, PYTHONWARNINGS='ignore'))
    assert done.returncode == 0, done.stderr[-2000:]
    assert 'eta:' in done.stdout + done.stderr
    assert run_tool('gen_pseudo', localizer_config,
                    best_checkpoint(str(work)), '--out-dir',
                    tmp_path / 'out') is None
    assert re.search(r'red\s+\|\s+[\d.]+', capsys.readouterr().out)
    assert (tmp_path / 'out' / 'scores.json').is_file()


@pytest.mark.parametrize('options, message', [
    (['--cfg-options', 'data_rot=x'], "unknown option 'data_rot' (did you "
     "mean 'data_root'?)"),
    (['--cfg-options', 'train_cfg.max_epoch=3'],
     "'max_epoch' (did you mean 'max_epochs'?)"),
    (['--cfg-options', 'num_classes=3'], 'has used this number'),
    (['--cfg-options', 'data_root=/nowhere'], 'no image folder /nowhere'),
])
def test_mistakes_end_in_one_line(localizer_config, tmp_path, options,
                                  message):
    stopped = run_tool('train', localizer_config, '--work-dir',
                       tmp_path / 'run', *options)
    assert stopped.startswith('error: ') and message in stopped
    assert '\n' not in stopped


def test_unwritable_out_dir(trained, tmp_path):
    cfg, checkpoint = trained
    blocked = tmp_path / 'file'
    blocked.write_text('')
    with pytest.raises(ConfigError, match='cannot be written to'):
        generate_pseudo_labels(cfg, checkpoint, str(blocked / 'out'))
