"""At every instant one whole checkpoint is there."""
import os
import re
import signal

import pytest
import torch
from mmengine.runner import ValLoop

from mmwsss.apis import best_checkpoint, load_config, train
from mmwsss.engine import CheckpointHook
from mmwsss.files.checkpoints import read_checkpoint


@pytest.mark.parametrize('kind, keep', [
    ('CheckpointHook', 1), ('mmengine.CheckpointHook', 1),
    ('mmwsss.CheckpointHook', 2)])
def test_new_ones_are_whole_before_old_ones_go(localizer_config, tmp_path,
                                               monkeypatch, kind, keep):
    work = tmp_path / 'run'
    steps = []
    remove, replace = os.remove, os.replace

    def look(action, path):
        if str(path).endswith('.pth') or 'last_checkpoint' in str(path):
            steps.append((action, os.path.basename(path)))
            for name in os.listdir(work):  # under their names all are whole
                if name.endswith('.pth'):
                    read_checkpoint(work / name)

    monkeypatch.setattr(os, 'remove', lambda path: (
        look('remove', path), remove(path)))
    monkeypatch.setattr(os, 'replace', lambda source, target: (
        replace(source, target), look('write', target)))
    cfg = load_config(localizer_config, {
        'train_cfg.max_epochs': 4,
        'default_hooks.checkpoint.max_keep_ckpts': keep}, str(work))
    cfg.default_hooks.checkpoint.type = kind
    runner = train(cfg)
    assert any(isinstance(hook, CheckpointHook) for hook in runner.hooks)
    for number in range(1, 5 - keep):
        old, new = f'epoch_{number}.pth', f'epoch_{number + keep}.pth'
        gone = steps.index(('remove', old))
        assert steps.index(('write', new)) < gone
        assert steps[gone - 1] == ('write', 'last_checkpoint')
    left = sorted(name for name in os.listdir(work)
                  if name.startswith('epoch_'))
    assert left == [f'epoch_{n}.pth' for n in range(5 - keep, 5)]
    assert (work / 'last_checkpoint').read_text().endswith('epoch_4.pth')
    bests = [name for action, name in steps
             if action == 'write' and name.startswith('best_')]
    assert os.path.basename(best_checkpoint(str(work))) == bests[-1]
    assert len([name for name in os.listdir(work)
                if name.startswith('best_')]) == 1


def test_what_a_kill_left_is_removed_later(localizer_config, tmp_path,
                                           monkeypatch):
    """Killed before the removal: the resumed run does it."""
    def cfg(epochs):
        return load_config(localizer_config, {
            'train_cfg.max_epochs': epochs,
            # It would be saved with the last one again, after the removal.
            'default_hooks.checkpoint.save_best': None},
            str(tmp_path / 'run'))

    with monkeypatch.context() as patch:
        patch.setattr(os, 'remove', lambda path: None)
        train(cfg(2))
    assert (tmp_path / 'run' / 'epoch_1.pth').exists()
    train(cfg(3), resume=True)
    assert [name for name in sorted(os.listdir(tmp_path / 'run'))
            if name.startswith('epoch_')] == ['epoch_3.pth']
    assert torch.is_tensor(next(iter(read_checkpoint(
        tmp_path / 'run' / 'epoch_3.pth')['state_dict'].values())))


def test_of_equal_ones_the_later_is_the_best(localizer_config, tmp_path,
                                             monkeypatch):
    from mmwsss.evaluation import MultiLabelMAP
    monkeypatch.setattr(MultiLabelMAP, 'compute_metrics',
                        lambda self, results: {'mAP': 100.})
    cfg = load_config(localizer_config, {'train_cfg.max_epochs': 3},
                      str(tmp_path / 'run'))
    train(cfg)
    assert best_checkpoint(cfg.work_dir).endswith('epoch_3.pth')


@pytest.mark.parametrize('moved', [False, True])
def test_a_run_that_goes_on_elsewhere_removes_its_own_best_alone(
        moved, localizer_config, trained_checkpoint, tmp_path):
    first, other = tmp_path / 'first', tmp_path / 'other'
    first.mkdir()
    best = first / os.path.basename(trained_checkpoint)
    state = torch.load(trained_checkpoint, weights_only=False)
    state['message_hub']['runtime_info'].update(
        best_ckpt=str(best), best_score=-1.)  # the next is better
    for path in (best, first / 'epoch_2.pth'):
        torch.save(state, path)
    (first if moved else other).mkdir(exist_ok=True)
    if moved:
        first.rename(other)
    else:
        torch.save(state, other / 'epoch_2.pth')
    (other / 'last_checkpoint').write_text(str(other / 'epoch_2.pth'))
    train(load_config(localizer_config, {'train_cfg.max_epochs': 3},
                      str(other)), resume=True)
    assert best.exists() is not moved
    [left] = other.glob('best_*.pth')
    assert left.name.endswith('_epoch_3.pth')


@pytest.mark.parametrize('kind, more', [
    ('localizer', {'train_cfg.max_epochs': 1}),
    ('segmentor', {'train_cfg.max_iters': 2, 'train_cfg.val_interval': 2,
                   'default_hooks.checkpoint.interval': 2,
                   'default_hooks.checkpoint.save_best': 'mIoU'})])
def test_a_missed_validation_is_made_up(localizer_config, segmentor_config,
                                        shapes, tmp_path, kind, more):
    config = localizer_config if kind == 'localizer' else segmentor_config
    if kind == 'segmentor':
        more = {**more, 'pseudo_masks': f'{shapes}/SegmentationClassAug'}

    def run(name, resume=False):
        train(load_config(config, more, str(tmp_path / name)), resume=resume)

    def best(name):
        [path] = (tmp_path / name).glob('best_*.pth')
        return path.name, torch.load(path, weights_only=False)['state_dict']

    run('whole')
    child = os.fork()
    if child == 0:
        ValLoop.run = lambda loop: os.kill(os.getpid(), signal.SIGKILL)
        try:
            run('killed')
        finally:
            os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert not list((tmp_path / 'killed').glob('best_*.pth'))
    run('killed', resume=True)
    (name, weights), (wanted_name, wanted) = best('killed'), best('whole')
    assert name == wanted_name
    for key, value in wanted.items():
        assert torch.equal(weights[key], value), key


def test_what_was_validated_is_not_again(localizer_config, tmp_path,
                                         monkeypatch):
    def run(epochs, **options):
        train(load_config(localizer_config, {'train_cfg.max_epochs': epochs},
                          str(tmp_path / 'run')), **options)

    run(1)
    real, steps = ValLoop.run, []
    monkeypatch.setattr(ValLoop, 'run', lambda loop: (
        steps.append(loop.runner.epoch), real(loop))[1])
    run(2, resume=True)
    assert steps == [2]
    for log in (tmp_path / 'run').glob('*/*.log'):  # not among the scores
        assert not re.search(r'validated\w*: \d', log.read_text())
