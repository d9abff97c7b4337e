"""DigitScenes: the same bytes each time, labels and masks that agree."""
import json
import os
import os.path as osp

import numpy as np
import pytest
from command_lines import run_tool
from digit_files import SMALL, build_digits
from PIL import Image

from mmwsss.preparation import digit_scenes
from mmwsss.preparation.digit_scenes import (
    draw_scene,
    load_digit_samples,
    split_samples,
    write_digit_scenes,
)
from mmwsss.problems import DataError


def contents(root):
    """{relative path: bytes} of every file under ``root``."""
    files = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = osp.join(folder, name)
            with open(path, 'rb') as file:
                files[osp.relpath(path, root)] = file.read()
    return files


def test_same_bytes_from_the_same_seed(scenes, tmp_path):
    write_digit_scenes(str(tmp_path / 'again'), **SMALL)
    first, again = contents(scenes), contents(tmp_path / 'again')
    assert len(first) == 2 * (12 + 6) + 4
    assert first == again


def test_other_seed_draws_other_scenes(scenes, tmp_path):
    write_digit_scenes(str(tmp_path / 'other'), **SMALL, seed=1)
    first, other = contents(scenes), contents(tmp_path / 'other')
    assert first['labels.csv'] != other['labels.csv']
    for name in first:
        if name.endswith('.jpg'):
            assert first[name] != other[name]


def test_a_scene_does_not_depend_on_how_many_there_are(scenes, tmp_path):
    write_digit_scenes(str(tmp_path / 'few'), 3, 2, 64)
    first = contents(scenes)
    for name, content in contents(tmp_path / 'few').items():
        if name.endswith(('.jpg', '.png')):
            assert content == first[name]


def test_masks_are_palette_pictures(scenes):
    path = osp.join(scenes, 'SegmentationClassAug', 'train_00000.png')
    with Image.open(path) as mask:
        assert mask.mode == 'P'
        flat = [v for color in digit_scenes.PALETTE for v in color]
        assert mask.getpalette()[:33] == flat


def test_digits_are_brighter_than_what_lies_around(scenes):
    images, labels = load_digit_samples()
    for index in range(10):
        scene = draw_scene(np.random.default_rng(index), images, labels,
                           range(len(labels)), max_clutter=0)
        brightness = scene.image.mean(-1)
        for value in (d + 1 for d in scene.digits):
            inside = brightness[scene.mask == value].mean()
            assert inside > brightness[scene.mask == 0].mean() + 30


def test_every_digit_stays_visible():
    images, labels = load_digit_samples()
    counts = set()
    for index in range(40):
        scene = draw_scene(np.random.default_rng(index), images, labels,
                           range(len(labels)), max_digits=5)
        counts.add(len(scene.digits))
        found = np.unique(scene.mask)
        assert found.tolist() == [0, *(d + 1 for d in scene.digits)]
        assert sorted(labels[scene.samples]) == scene.digits
        # At this size every digit covers far more than 200 pixels.
        assert np.bincount(scene.mask.ravel())[found].min() > 200
    assert len(counts) > 2


def test_train_and_val_share_no_handwriting(scenes):
    labels = load_digit_samples()[1]
    train, val = split_samples(labels)
    assert sorted([*train, *val]) == list(range(len(labels)))
    assert set(labels[train]) == set(labels[val]) == set(range(10))
    with open(osp.join(scenes, 'digit_scenes.json')) as file:
        used = json.load(file)['samples']
    assert used['train'] and set(used['train']) <= set(train)
    assert used['val'] and set(used['val']) <= set(val)


def test_complete_folder_is_used_again(scenes, monkeypatch):
    def fail(*args, **kwargs):
        raise AssertionError('drew again')

    monkeypatch.setattr(digit_scenes, 'draw_scene', fail)
    before = contents(scenes)
    write_digit_scenes(scenes, **SMALL)
    write_digit_scenes(scenes, **SMALL, force=True)
    assert contents(scenes) == before


def test_interrupted_folder_is_redone(scenes, tmp_path, monkeypatch):
    root = str(tmp_path / 'scenes')
    draw, calls = draw_scene, []

    def interrupt(*args, **kwargs):
        calls.append(1)
        if len(calls) == 14:  # in the middle of val
            raise KeyboardInterrupt
        return draw(*args, **kwargs)

    monkeypatch.setattr(digit_scenes, 'draw_scene', interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_digit_scenes(root, **SMALL)
    assert not osp.exists(osp.join(root, 'digit_scenes.json'))
    # What it left behind may be anything, also of other arguments.
    stale = osp.join(root, 'JPEGImages', 'train_00099.jpg')
    open(stale, 'w').close()
    write_digit_scenes(root, **SMALL)
    assert contents(root) == contents(scenes)


def test_other_arguments_need_force(tmp_path):
    root = str(tmp_path / 'scenes')
    write_digit_scenes(root, 3, 1, 32)
    before = contents(root)
    with pytest.raises(DataError, match=r'num_train=3 \(asked for: 2\).*'
                       '--force'):
        write_digit_scenes(root, 2, 1, 32)
    assert contents(root) == before
    write_digit_scenes(root, 2, 1, 32, force=True)
    assert len(os.listdir(osp.join(root, 'JPEGImages'))) == 3
    assert len(build_digits(root)) == 2


@pytest.mark.parametrize('force', [False, True])
def test_never_writes_over_another_data_set(tmp_path, force):
    lists = tmp_path / 'ImageSets' / 'Segmentation'
    lists.mkdir(parents=True)
    (lists / 'train.txt').write_text('2007_000032\n')
    with pytest.raises(DataError, match='not DigitScenes'):
        write_digit_scenes(str(tmp_path), 2, 1, 32, force=force)
    assert contents(tmp_path) == {
        osp.join('ImageSets', 'Segmentation', 'train.txt'): b'2007_000032\n'}


def test_command_line(tmp_path):
    folder = str(tmp_path / 'scenes')
    options = ('dataset_converters/digit_scenes', folder, '--num-train=2',
               '--num-val=1')
    assert run_tool(*options, '--size=32') is None
    assert len(build_digits(folder)) == 2
    assert run_tool(*options, '--size=8').startswith(
        'error: size=8: must be at least')
