"""What tools say at their end."""
from types import SimpleNamespace

import pytest

from mmwsss.apis.endings import generation_ending, training_ending


@pytest.mark.parametrize('report, lines', [
    (dict(threshold=0.4, mIoU=61.25), [
        'background threshold: 0.40', 'mIoU: 61.2 %']),
    (dict(threshold=0.35, threshold_rule='auto'), [
        'background threshold: 0.35 (auto)',
        'mIoU: unknown, as there are no true masks']),
    (dict(threshold=[0.3, 0.5], mIoU=float('nan')), [
        'background threshold: 0.30 and 0.50',
        'mIoU: unknown, as there are no true masks'])])
def test_masks(report, lines):
    assert generation_ending(report, 'out') == [
        'maps, masks, scores.json and overlays.png are in out', *lines]


@pytest.mark.parametrize('known, last, line', [
    (dict(best_ckpt='a/best.pth', best_score=91.23), True,
     'best checkpoint: a/best.pth (91.2 in validation)'),
    ({}, True, 'last checkpoint, named by '),
    ({}, False, 'no checkpoint in ')])
def test_training(tmp_path, known, last, line):
    if last:
        (tmp_path / 'last_checkpoint').write_text('a.pth')
    runner = SimpleNamespace(
        message_hub=SimpleNamespace(runtime_info=known),
        work_dir=str(tmp_path), log_dir='logs')
    first, where = training_ending(runner)
    assert first.startswith(line) and where == 'log, losses and scores: logs'
