"""Runs that are killed outright, at placed moments, go on and lose nothing.

``pytest -m kill`` tries twenty moments of each command, spread evenly over all
its file operations; a few are tried always.
"""
import builtins
import glob
import os
import os.path as osp
import shutil
import signal
import zipfile

import pytest

from mmwsss.apis import (
    compare,
    generate_pseudo_labels,
    load_config,
    run_pipeline,
    sweep,
    train,
)
from mmwsss.files.run_folder import newest_checkpoint
from mmwsss.preparation.coco14 import convert_coco14
from mmwsss.preparation.digit_scenes import write_digit_scenes
from mmwsss.preparation.voc12 import convert_voc12


def run_train(config, segmentor, folder):
    cfg = load_config(config, {'train_cfg.max_epochs': 3}, folder)
    return train(cfg, resume=True).epoch


def run_path(config, segmentor, folder):
    return sorted(run_pipeline(config, segmentor, folder))


def run_sweep(config, segmentor, folder):
    return [row['options'] for row in sweep(
        config, {'model.patch_head.decay': [0.5, 0.9]},
        ['multi-label/mAP'], folder)]


def run_compare(config, segmentor, folder):
    return [row['name'] for row in compare([config], segmentor, folder,
                                           seeds=[0, 1])]


COMMANDS = dict(train=run_train, pipeline=run_path, sweep=run_sweep,
                compare=run_compare)


def in_child(command, arguments, moment=None):
    """Run in a process that is killed before its so-manieth file operation.

    Returns:
        tuple[int, int]: 9, or 0 if it came to its end before; and the number
        of its file operations, where it came to its end.
    """
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        count = [0]

        def counting(function, counts=lambda *args: True):
            def call(*args, **kwargs):
                if counts(*args):
                    count[0] += 1
                    if count[0] == moment:
                        os.kill(os.getpid(), signal.SIGKILL)
                return function(*args, **kwargs)
            return call

        for name in ('fsync', 'replace', 'rename', 'remove'):
            setattr(os, name, counting(getattr(os, name)))
        builtins.open = counting(
            open, lambda path, mode='r', *_: 'w' in mode)
        status = 1
        try:
            command(*arguments)
            os.write(there, str(count[0]).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(there)
    with os.fdopen(here) as counted:
        operations = int(counted.read() or 0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or status == 0
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, operations


def survives(command, count, arguments, check):
    """Kill a command at some moments; the same command goes to its end.

    Args:
        command (callable): Takes the arguments and a folder.
        count (int): Number of moments, spread over all file operations.
        arguments (callable): Takes a name, gives arguments; the last is a
            folder of this name.
        check (callable): Takes the folder after the end, and what the command
            returned.
    """
    end, operations = in_child(command, arguments('whole'))
    assert end == 0 and operations > 0
    count = min(count, operations)
    for i in range(count):
        moment = 1 + i * (operations - 1) // max(count - 1, 1)
        given = arguments(f'at_{moment}')
        assert in_child(command, given, moment)[0] == 9, moment
        for note in glob.glob(osp.join(given[-1], '**', 'last_checkpoint'),
                              recursive=True):
            found = newest_checkpoint(osp.dirname(note))
            assert found is not None, f'{moment}: {note}'
        check(given[-1], command(*given))
        left = glob.glob(osp.join(given[-1], '**', '*.tmp'), recursive=True)
        assert not left, moment


EXPECTED = dict(
    train=3,
    pipeline=['localizer', 'pseudo_train', 'pseudo_val', 'segmentor', 'test'],
    sweep=[{'model.patch_head.decay': 0.5}, {'model.patch_head.decay': 0.9}],
    compare=['localizer'])


def training_survives(name, count, localizer, segmentor, folder):
    def check(work, result):
        assert result == EXPECTED[name]

    survives(COMMANDS[name], count,
             lambda place: (localizer, segmentor, str(folder / place)), check)


def content(folder):
    """Bytes of all files of data by path; logs and notes left out."""
    found = {}
    for place, _, files in os.walk(folder):
        for name in files:
            if name.endswith(('.npz', '.npy', '.png', '.jpg', '.txt', '.csv',
                              'scores.json')):
                path = osp.join(place, name)
                with open(path, 'rb') as file:
                    found[osp.relpath(path, folder)] = file.read()
    return found


def bytes_survive(command, count, arguments, folder):
    """As :func:`survives`; the files are those of an unkilled run."""
    survives(command, count, arguments,
             lambda place, _: files_are_equal(place, str(folder / 'whole')))


def files_are_equal(folder, other):
    got, want = content(folder), content(other)
    assert want and set(got) == set(want)
    assert [name for name in want if got[name] != want[name]] == []


def generation_survives(count, trained, folder):
    cfg, checkpoint = trained

    def run(out):
        generate_pseudo_labels(cfg, checkpoint, out)

    bytes_survive(run, count, lambda name: (str(folder / name), ), folder)


def draw(root):
    write_digit_scenes(root, num_train=4, num_val=2, size=32)


def digits_survive(count, folder):
    bytes_survive(draw, count, lambda name: (str(folder / name), ), folder)


def copy_voc(mini, root, count=6):
    """Photos of VOC as they are downloaded, beside ready masks in a ZIP."""
    for folder in ('JPEGImages', 'Annotations', 'SegmentationClass',
                   'ImageSets/Segmentation'):
        os.makedirs(osp.join(root, folder))
    with open(osp.join(mini, 'ImageSets/Segmentation/val.txt')) as file:
        names = file.read().split()[:count]
    masks = osp.join(mini, 'SegmentationClassAug')
    for split, part in (('train', names[::2]), ('val', names[1::2])):
        with open(osp.join(root, 'ImageSets/Segmentation',
                           f'{split}.txt'), 'w') as file:
            file.write('\n'.join(part))
    with zipfile.ZipFile(osp.join(root, 'masks.zip'), 'w') as archive:
        for name in names:
            shutil.copy(osp.join(mini, 'JPEGImages', f'{name}.jpg'),
                        osp.join(root, 'JPEGImages'))
            shutil.copy(osp.join(masks, f'{name}.png'),
                        osp.join(root, 'SegmentationClass'))
            archive.write(osp.join(masks, f'{name}.png'),
                          f'SegmentationClassAug/{name}.png')
            with open(osp.join(root, 'Annotations', f'{name}.xml'),
                      'w') as file:
                file.write('<annotation><object><name>dog</name></object>'
                           '</annotation>')


def voc(root):
    convert_voc12(root, aug_zip=osp.join(root, 'masks.zip'), subset=True)


def coco(root):
    convert_coco14(root, ['val2017'], num_workers=0, subset=True)


def copy_coco(mini, root):
    for name in ('val2017', 'annotations'):
        shutil.copytree(osp.join(mini, name), osp.join(root, name))


@pytest.mark.kill
@pytest.mark.parametrize('convert, copy, mini', [
    (voc, copy_voc, 'voc_mini'), (coco, copy_coco, 'coco_mini')],
    ids=['voc', 'coco'])
def test_twenty_moments_of_converters(test_data, tmp_path, convert, copy,
                                      mini):
    def arguments(name):
        copy(test_data(mini), str(tmp_path / name))
        return (str(tmp_path / name), )

    bytes_survive(convert, 20, arguments, tmp_path)


@pytest.mark.parametrize('name, count', [('train', 3), ('pipeline', 1)])
def test_a_few_moments(localizer_config, segmentor_config, tmp_path, name,
                       count):
    training_survives(name, count, localizer_config, segmentor_config,
                      tmp_path)


def test_a_few_moments_of_generation(trained, tmp_path):
    generation_survives(3, trained, tmp_path)


def test_all_moments_of_a_converter(tmp_path):
    digits_survive(20, tmp_path)


@pytest.mark.kill
@pytest.mark.parametrize('name', COMMANDS)
def test_twenty_moments(localizer_config, segmentor_config, tmp_path, name):
    training_survives(name, 20, localizer_config, segmentor_config, tmp_path)


@pytest.mark.kill
def test_twenty_moments_of_generation(trained, tmp_path):
    generation_survives(20, trained, tmp_path)
