"""What of a run's log reaches the screen."""
import glob
import os
import os.path as osp
import subprocess
import sys

from mmengine.logging import MMLogger
from shapes import ROOT

from mmwsss.engine.console import keep_records_off


def test_long_records_are_in_the_log_file(localizer_config, tmp_path):
    work = tmp_path / 'run'
    run = subprocess.run(
        [sys.executable, osp.join(ROOT, 'tools', 'train.py'),
         localizer_config, '--work-dir', work,
         '--cfg-options', 'train_cfg.max_epochs=1'], cwd=ROOT,
        capture_output=True, text=True, check=True,
        env=dict(os.environ, PYTHONPATH=ROOT))
    screen = run.stdout + run.stderr
    [log] = glob.glob(osp.join(work, '*', '*.log'))
    with open(log, encoding='utf-8') as file:
        text = file.read()
    for part in ('System environment', 'Config:', 'Hooks will be executed'):
        assert part in text
        assert part not in screen
    assert 'Distributed training is not used' in text
    for part in ('Distributed training', 'Exp name', 'avg_non_ignore',
                 'FileClient', 'HardDiskBackend', 'The prefix is not set'):
        assert part not in screen, part
    *_, best, where = run.stdout.splitlines()
    assert best.startswith(f'best checkpoint: {work}') and (
        best.endswith(' in validation)'))
    assert where == f'log, losses and scores: {osp.dirname(log)}'
    assert 'Epoch(train)' in screen
    assert len(screen.splitlines()) < 60


def test_other_records_are_shown(capsys):
    logger = MMLogger('screen_of_a_test')
    keep_records_off(logger)
    logger.info('Config:\n' + 'x = 1\n' * 400)
    for line in ('Exp name: a_1', '"FileClient" will be deprecated',
                 'The prefix is not set in metric class MaskIoU.',
                 'Distributed training is not used, all SyncBatchNorm x'):
        logger.warning(line)
    logger.info('Configs are read')
    assert 'x = 1' not in (shown := capsys.readouterr().out)
    assert 'WARNING' not in shown
    assert 'Configs are read' in shown
