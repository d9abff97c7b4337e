"""Runs that are killed outright, at placed moments, go on and lose nothing.

``pytest -m kill`` tries twenty moments of each command; a few are tried
always.
"""
import glob
import os
import os.path as osp
import signal

import pytest

from mmwsss.apis import compare, load_config, run_pipeline, sweep, train
from mmwsss.files.run_folder import newest_checkpoint


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


def killed(command, arguments, moment):
    """Run in a process that is killed before its so-manieth file operation.

    Returns:
        int: 9, or 0 if it came to its end before.
    """
    child = os.fork()
    if child == 0:
        count = [0]

        def counting(function):
            def call(*args, **kwargs):
                count[0] += 1
                if count[0] == moment:
                    os.kill(os.getpid(), signal.SIGKILL)
                return function(*args, **kwargs)
            return call

        for name in ('fsync', 'replace', 'remove'):
            setattr(os, name, counting(getattr(os, name)))
        status = 1
        try:
            command(*arguments)
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) if os.WIFSIGNALED(status) else status == 0
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def survives(name, moments, localizer, segmentor, folder):
    """Kill a command at each moment; it is to go on to its end."""
    for moment in moments:
        work = str(folder / f'{name}_{moment}')
        arguments = (localizer, segmentor, work)
        end = killed(COMMANDS[name], arguments, moment)
        assert end == 9, f'{name} ended before moment {moment}'
        for note in glob.glob(osp.join(work, '**', 'last_checkpoint'),
                              recursive=True):
            found = newest_checkpoint(osp.dirname(note))
            assert found is not None, f'{name} {moment}: {note}'
        assert COMMANDS[name](*arguments) == EXPECTED[name], moment


EXPECTED = dict(
    train=3,
    pipeline=['localizer', 'pseudo_train', 'pseudo_val', 'segmentor', 'test'],
    sweep=[{'model.patch_head.decay': 0.5}, {'model.patch_head.decay': 0.9}],
    compare=['localizer'])


@pytest.mark.parametrize('name, moments', [
    ('train', (1, 6, 14)), ('pipeline', (6, ))])
def test_a_few_moments(localizer_config, segmentor_config, tmp_path, name,
                       moments):
    survives(name, moments, localizer_config, segmentor_config, tmp_path)


@pytest.mark.kill
@pytest.mark.parametrize('name', COMMANDS)
def test_twenty_moments(localizer_config, segmentor_config, tmp_path, name):
    survives(name, range(1, 21), localizer_config, segmentor_config, tmp_path)
