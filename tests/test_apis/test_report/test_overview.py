"""What was run."""
import pytest
from report_runs import make_run

from mmwsss.apis.report.overview import overview
from mmwsss.apis.report.runs import find_runs
from mmwsss.apis.report.stage_words import name_parts


@pytest.fixture
def run(tmp_path):
    [run] = find_runs(make_run(str(tmp_path), 4))
    name_parts(run)
    return run


def test_stages_have_words_and_their_folder(run):
    text, stages, *_ = overview(run).blocks
    assert 'All stages took 68 min.' in text.text
    assert [row[:2] for row in stages.rows] == [
        ['the localizer', 'localizer'],
        ['masks of the held-out photos', 'pseudo_val']]


@pytest.mark.parametrize('value, shown', [
    (['background', 'cat'], 'background, cat'), (None, 'open'),
    ([[0, 0, 0], [1, 2, 3]], '0, 0, 0; 1, 2, 3'), (False, 'no'), (0.5, '0.5'),
    (dict(type='TableLabels', file='a.csv'),
     'type: TableLabels, file: a.csv')])
def test_what_was_chosen_stands_there_without_brackets(run, value, shown):
    run.plan = dict(choices=dict(one=dict(value=value, reason='Because.')))
    [table] = [block for block in overview(run).blocks
               if block.kind == 'table' and 'chosen' in block.caption]
    assert table.rows == [('one', shown, 'Because.')]


def test_other_plans_are_left_out(run):
    run.plan = dict(choices=['something else'])
    assert not any('chosen' in getattr(block, 'caption', '')
                   for block in overview(run).blocks)
