"""Training begins with, and goes on from, what fits; nothing runs code."""
import errno
import os
import os.path as osp
import resource

import pytest
import torch
from command_lines import run_tool
from limits import limited

from mmwsss.apis import load_config, train
from mmwsss.problems import DataError


def change(checkpoint, path, **parts):
    content = torch.load(checkpoint, weights_only=False)
    for name, value in parts.items():
        content[name] = value(content[name])
    torch.save(content, path)
    return str(path)


def other_classes(meta):
    meta['dataset_meta']['classes'] = ('background', 'blue', 'red')
    return meta


def nan(state):
    key = next(key for key in state if state[key].is_floating_point())
    state[key] = torch.full_like(state[key], float('nan'))
    return state


@pytest.mark.parametrize('parts, message', [
    (dict(meta=other_classes), 'in another order'),
    (dict(state_dict=nan), 'NaN'),
    (dict(state_dict=lambda state: dict(list(state.items())[:-1])),
     'is missing'),
    (dict(state_dict=lambda _: {'a': torch.ones(1)}), 'convert_weights'),
])
@pytest.mark.parametrize('resume', [True, False])
def test_what_does_not_fit_is_an_error(trained, tmp_path, parts, message,
                                       resume):
    cfg, checkpoint = trained
    cfg.load_from = change(checkpoint, tmp_path / 'wrong.pth', **parts)
    cfg.work_dir = str(tmp_path / 'other')
    with pytest.raises(DataError, match=f'wrong.pth.*{message}'):
        train(cfg, resume=resume)


@pytest.mark.parametrize('parts', [
    dict(meta=lambda _: None), dict(meta=lambda _: dict(epoch='1', iter=2)),
    dict(message_hub=lambda _: 3), dict(optimizer=lambda _: [1]),
    dict(optimizer=lambda state: dict(state, param_groups=[])),
    dict(param_schedulers=lambda _: 3),
])
def test_no_state_of_training_is_an_error(localizer_config, tmp_path, parts):
    def cfg(epochs):
        return load_config(localizer_config, {'train_cfg.max_epochs': epochs},
                           str(tmp_path / 'run'))

    train(cfg(1))
    path = tmp_path / 'run' / 'epoch_1.pth'
    change(path, path, **parts)
    with pytest.raises(DataError, match='epoch_1.pth'):
        train(cfg(2), resume=True)


def test_a_config_in_a_checkpoint_is_not_run(trained, tmp_path, monkeypatch):
    """Mmengine runs ``meta['config']`` when it resumes."""
    cfg, checkpoint = trained
    monkeypatch.chdir(tmp_path)
    parts = dict(meta=lambda meta: dict(
        meta, epoch=0, iter=0,
        config='import os\nos.system("touch config_ran_code")'))
    cfg.load_from = change(checkpoint, tmp_path / 'bad.pth', **parts)
    cfg.work_dir = str(tmp_path / 'other')
    cfg.train_cfg.max_epochs = 1
    train(cfg, resume=True)
    assert not osp.exists('config_ran_code')


def test_a_full_disk_is_one_line_and_loses_nothing(localizer_config, tmp_path,
                                                   monkeypatch):
    work = tmp_path / 'run'
    options = ['--work-dir', work, '--cfg-options', 'train_cfg.max_epochs=']
    options[-1] += '1'
    assert run_tool('train', localizer_config, *options) is None
    before = sorted(os.listdir(work))
    replace = os.replace

    def full(source, target):
        if str(target).endswith('epoch_2.pth'):
            raise OSError(errno.ENOSPC, 'No space left on device')
        replace(source, target)

    options[-1] = options[-1][:-1] + '2'
    with monkeypatch.context() as patch:
        patch.setattr(os, 'replace', full)
        stopped = run_tool('train', localizer_config, '--resume', *options)
    assert 'epoch_2.pth: cannot be written (No space' in stopped
    assert '\n' not in stopped
    assert set(before) <= set(os.listdir(work))
    assert not [name for name in os.listdir(work) if name.endswith('.tmp')]
    assert run_tool('train', localizer_config, '--resume', *options) is None
    assert (work / 'epoch_2.pth').is_file()


def test_a_limit_of_file_size_loses_nothing(localizer_config, tmp_path):
    work = tmp_path / 'run'
    options = [localizer_config, '--resume', '--work-dir', work,
               '--cfg-options']
    assert run_tool('train', *options, 'train_cfg.max_epochs=1') is None
    before = {path.name: path.read_bytes() for path in work.glob('*.pth')}
    with limited(resource.RLIMIT_FSIZE, 100_000):
        stopped = run_tool('train', *options, 'train_cfg.max_epochs=2')
    assert 'epoch_2.pth: cannot be written (File too large)' in stopped
    assert 'ulimit -f' in stopped and '\n' not in stopped
    assert before == {path.name: path.read_bytes()
                      for path in work.glob('*.pth')}
    assert not list(work.glob('*.tmp'))


def test_going_on_does_not_ask_for_the_weights_of_the_beginning(
        localizer_config, tmp_path):
    """They may be gone, or on a server that cannot be reached."""
    def cfg(epochs, **more):
        return load_config(localizer_config, {
            'train_cfg.max_epochs': epochs, **more}, str(tmp_path / 'run'))

    gone = {'model.backbone.pretrained': str(tmp_path / 'gone.pth')}
    train(cfg(1))
    assert train(cfg(2, **gone), resume=True).epoch == 2
    cfg = cfg(3, **gone)
    cfg.work_dir = str(tmp_path / 'empty')
    with pytest.raises(FileNotFoundError, match='gone.pth'):
        train(cfg, resume=True)  # nothing to go on from: it does begin
