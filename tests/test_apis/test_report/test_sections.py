"""The parts of a report."""
import copy

import pytest
from report_runs import make_run

from mmwsss.apis.report.older import find_records
from mmwsss.apis.report.runs import Part, Run, find_runs
from mmwsss.apis.report.sections import (
    LABEL_MEANING,
    MASK_MEANING,
    UNKNOWN,
    comparison_sections,
    run_sections,
    summary,
)
from mmwsss.apis.report.stage_words import name_parts
from mmwsss.files.json_files import write_json


@pytest.fixture(params=[True, False])
def run(request, tmp_path):
    [run] = find_runs(make_run(str(tmp_path), 4, truths=request.param))
    find_records(run)
    name_parts(run)
    return request.param, run


def test_what_can_be_said_with_and_without_true_masks(run):
    truths, run = run
    titles = [section.title for section in run_sections(run)]
    assert titles == ['How good it is', 'Look at these labels',
                      'Classes: masks of the held-out photos',
                      'Training curves', 'What was run']
    assert ('photos with masks', '4') in summary([run])
    assert (('mIoU, masks of the held-out photos', '61.2 %')
            in summary([run])) is truths
    classes = run_sections(run)[2]
    kinds = [block.kind for block in classes.blocks]
    assert ('matrix' in kinds) is truths and 'table' in kinds


def test_words_are_those_of_the_scores_that_there_are(run):
    truths, run = run
    first = run_sections(run)[0]
    texts = [block.text for block in first.blocks if block.kind == 'text']
    assert texts == ([MASK_MEANING, LABEL_MEANING] if truths else [UNKNOWN])
    assert any('no true ones' in row[1] for row in first.blocks[-1].rows
               ) is not truths


def test_a_photo_that_two_stages_have_masks_of_counts_once(run):
    _, run = run
    run.parts.append(copy.copy(run.parts[-1]))
    assert ('photos with masks', '4') in summary([run])


def test_several_runs_are_folded_and_bear_their_names(run):
    sections = run_sections(run[1], several=True)
    assert all(section.folded for section in sections)
    assert sections[0].title == 'run: How good it is'


def test_what_is_not_finished_is_said():
    part = Part('segmentor', '/x', dict(results=None))
    assert ('not finished', 'segmentor') in summary([Run('a', '/x', [part])])


def test_a_comparison_has_means_and_deviations(tmp_path):
    write_json(str(tmp_path / 'comparison.json'), dict(seeds=[0, 1], rows=[
        dict(name='cam', scores={'seeds val': [10., 20.]}),
        dict(name='mmct', scores={'seeds val': [50.], 'mAP val': [90.]})]))
    [section] = comparison_sections([str(tmp_path)])
    table = section.blocks[-1]
    assert table.columns == ['method', 'seeds val', 'mAP val']
    assert table.rows == [['cam', '15.0 ± 7.1 (2)', '-'],
                          ['mmct', '50.0 (1)', '90.0 (1)']]


def test_a_sweep_has_every_combination_and_a_curve(tmp_path):
    write_json(str(tmp_path / 'sweep.json'), [
        dict(options={'model.a': value}, folder='x', scores=dict(mIoU=score))
        for value, score in ((1, 40.), (2, 50.))])
    [section] = comparison_sections([str(tmp_path)])
    table, chart = section.blocks
    assert table.rows == [['1', 40.], ['2', 50.]]
    assert chart.table.rows == [('1', 40.), ('2', 50.)]


@pytest.mark.parametrize('name', ['comparison.json', 'sweep.json'])
def test_other_files_are_left_out_and_named(tmp_path, name):
    write_json(str(tmp_path / name), {'rows': 3})
    [section] = comparison_sections([str(tmp_path)])
    assert section.title == f'No {name[:-5]}'
    [note] = section.blocks
    assert f'{name}: not what was written' in note.text
