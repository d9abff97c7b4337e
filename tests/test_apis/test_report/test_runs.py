"""What lies in the folders of finished work."""
import os

import pytest

from mmwsss.apis.report.runs import find_runs
from mmwsss.files.json_files import write_json
from mmwsss.problems import DataError


def stage(folder, key, inputs=(), results=None, **settings):
    write_json(str(folder / 'stage.json'), dict(
        key=key, inputs={one: one for one in inputs}, settings=settings,
        results=results))


def test_stages_stand_in_the_order_of_the_work(tmp_path):
    stage(tmp_path / 'a_test', '3', ['2'])
    stage(tmp_path / 'b_masks', '2', ['1'], {'mIoU': 3})
    stage(tmp_path / 'c_training', '1')
    (tmp_path / 'logs').mkdir()
    [run] = find_runs(str(tmp_path))
    assert [part.name for part in run.parts] == ['c_training', 'b_masks',
                                                 'a_test']
    assert [part.finished for part in run.parts] == [False, True, False]
    assert run.title == tmp_path.name


def test_runs_of_a_comparison(tmp_path):
    write_json(str(tmp_path / 'comparison.json'), dict(
        seeds=[0, 1], rows=[dict(name='cam', scores={}),
                            dict(name='mmct', scores={})]))
    for place in ('cam/seed_0', 'mmct/seed_0', 'mmct/seed_1'):
        stage(tmp_path / place / 'localizer', place)
    assert [run.title for run in find_runs(str(tmp_path))] == [
        'cam, seed 0', 'mmct, seed 0', 'mmct, seed 1']


@pytest.mark.parametrize('name', ['scores.json', 'test_scores.json',
                                  'evaluation.json'])
def test_a_folder_of_results_alone(tmp_path, name):
    write_json(str(tmp_path / name), dict(mIoU=50.))
    [run] = find_runs(str(tmp_path))
    [part] = run.parts
    assert part.scores == dict(mIoU=50.) and part.finished


def test_a_training_alone_whose_log_was_cut_off(tmp_path):
    for i, text in enumerate(('{"loss": 2, "step": 1}\n{"los', 'null\n'
                              '{"loss": 1, "step": 2}\n')):
        folder = tmp_path / f'2026_{i}' / 'vis_data'
        folder.mkdir(parents=True)
        (folder / 'scalars.json').write_text(text)
    (tmp_path / 'my.py').write_text('a = 1')
    [run] = find_runs(str(tmp_path))
    [part] = run.parts
    assert [row['loss'] for row in part.curves] == [2, 1]
    assert part.config == str(tmp_path / 'my.py')


def test_folders_without_results(tmp_path):
    os.makedirs(tmp_path / 'photos')
    with pytest.raises(DataError, match='holds no results'):
        find_runs(str(tmp_path))
