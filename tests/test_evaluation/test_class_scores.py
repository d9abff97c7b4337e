"""Scores by class as a report and as a table."""
import torch

from mmwsss.evaluation.class_scores import (
    RATES,
    class_scores,
    print_class_scores,
)
from mmwsss.ops import SweepResult

RESULT = SweepResult(torch.zeros(1), torch.tensor([[6, 2, 0]]),
                     torch.tensor([[8, 2, 0]]), torch.tensor([7, 3, 0]))


def test_a_class_that_is_nowhere_has_no_score():
    report = class_scores(RESULT, 0, ('a', 'b', 'c'), [0, 1, 2])
    assert report['IoU'] == dict(a=66.6667, b=66.6667, c=None)
    assert report['precision'] == dict(a=75., b=100., c=None)
    assert report['mIoU'] == 66.6667
    assert set(report) == {'mIoU', *RATES}


def test_the_table_has_a_line_a_class(capsys):
    print_class_scores(class_scores(RESULT, 0, ('a', 'b', 'c'), [2, 1]), 'T')
