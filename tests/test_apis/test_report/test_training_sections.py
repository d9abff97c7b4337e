"""Curves of trainings."""
from mmwsss.apis.report.runs import Part, Run
from mmwsss.apis.report.training_sections import training_section


def charts(rows):
    section = training_section(Run('a', '/x', [Part('net', '/x',
                                                    curves=rows)]))
    return section and [block for block in section.blocks
                        if block.kind == 'chart']


def test_losses_and_scores_stand_apart():
    losses, scores = charts([
        dict(loss=2., loss_a=1., lr=0.1, time=3, step=1),
        {'seg/mIoU': 10., 'time': 1, 'step': 1},
        dict(loss=1., loss_a=float('nan'), step=2)])
    assert losses.table.columns == ['iteration or epoch', 'loss', 'loss_a']
    assert losses.table.rows == [(1, 2., 1.), (2, 1., None)]
    assert scores.table.columns == ['iteration or epoch', 'seg/mIoU']
    assert scores.table.rows == [(1, 10.)]


def test_what_was_repeated_after_an_interruption_counts_once():
    [chart] = charts([dict(loss=step, step=step) for step in (1, 2, 3, 4)]
                     + [dict(loss=9., step=step) for step in (3, 4, 5)])
    assert chart.table.rows == [(1, 1), (2, 2), (3, 9.), (4, 9.), (5, 9.)]


def test_long_trainings_are_thinned_out_and_keep_their_end():
    [chart] = charts([dict(loss=1. / step, step=step)
                      for step in range(1, 5002)])
    steps = [step for step, _ in chart.table.rows]
    assert 100 < len(steps) <= 200 and steps[-1] == 5001


def test_no_training_no_section():
    assert charts([]) is None
