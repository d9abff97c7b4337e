import os
import os.path as osp
import re

import pytest
from tagged_photos import write_tags

from mmwsss.apis import plan
from mmwsss.apis.plan_files import changed_config, plan_text, stored_plan
from mmwsss.problems import ConfigError, DataError

NONE = dict(weights='none', device='cpu')


@pytest.fixture
def planned(tagged_folder, tmp_path, monkeypatch):
    """A plan that is there, and a function that plans again."""
    work_dir = str(tmp_path / 'run')
    made = plan(*tagged_folder, work_dir, **NONE)

    def again(**options):
        return plan(*tagged_folder, work_dir, **dict(NONE, **options))
    return work_dir, made, again


def test_a_plan_is_kept(planned, monkeypatch):
    work_dir, made, again = planned
    monkeypatch.setattr('mmwsss.apis.planning.measure_costs', None)
    times = {name: os.stat(osp.join(work_dir, name)).st_mtime_ns
             for name in os.listdir(work_dir)}
    assert again() == made
    del times['plan.json']
    assert times == {name: os.stat(osp.join(work_dir, name)).st_mtime_ns
                     for name in times}


def test_a_plan_takes_another_threshold(planned):
    _, made, again = planned
    for threshold in (0.3, None):
        choices = again(threshold=threshold)['choices']
        assert choices.pop('threshold')['value'] == 0.3
        assert all(made['choices'][name] == one
                   for name, one in choices.items())


@pytest.mark.parametrize('name', ['data.py', 'localizer.py', 'segmentor.py',
                                  'train.txt', 'val.txt'])
def test_what_a_kill_left_out_is_written(planned, name):
    work_dir, _, again = planned
    path = osp.join(work_dir, name)
    before = open(path).read()
    os.remove(path)
    again(dry_run=True)
    assert not osp.exists(path)
    again()
    assert open(path).read() == before


def test_a_changed_config_is_kept_until_it_is_planned_anew(planned):
    work_dir, made, again = planned
    path = osp.join(work_dir, 'localizer.py')
    before = open(path).read()
    with open(path, 'a') as file:
        file.write('train_cfg = dict(max_epochs=3)\n')
    assert changed_config(made, work_dir, 'localizer.py')
    assert again()['notes'] == [f'{path} was changed by hand, and is kept']
    assert 'max_epochs=3' in open(path).read()
    assert again(replan=True)['notes'] == [
        f'{path}, changed by hand, is replaced']
    assert open(path).read() == before
    assert again()['notes'] == []


def test_changes_are_said_by_name(planned, tagged_folder):
    work_dir, made, again = planned
    photos, labels = tagged_folder
    rows = open(labels).read().split()[1:]
    write_tags(labels, [row.split(',') for row in rows[:-1]] + [
        ('c23.JPG', 'person')])
    with pytest.raises(ConfigError, match=re.escape(
            'c23.JPG has other tags (dog person -> person)')):
        again()
    os.rename(osp.join(photos, 'c23.JPG'), osp.join(photos, 'new.JPG'))
    write_tags(labels, [row.split(',') for row in rows[:-1]] + [
        ('new.JPG', 'person')])
    with pytest.raises(ConfigError, match='c23.JPG is gone; new.JPG is new'):
        again()
    with pytest.raises(ConfigError, match='--time-budget 3000 instead of '
                       'None.*--replan'):
        again(time_budget=3000)
    assert 'new.JPG' in again(replan=True)['photos']


def test_a_folder_of_something_else(tagged_folder, tmp_path):
    folder = tmp_path / 'theirs'
    folder.mkdir()
    assert stored_plan(str(folder)) is None  # empty
    (folder / 'thesis.tex').write_text('precious')
    for place in (folder, folder / 'thesis.tex'):
        with pytest.raises(ConfigError, match='holds something else'):
            plan(*tagged_folder, str(place), **NONE)
    assert os.listdir(folder) == ['thesis.tex']
    (folder / 'plan.json').write_text('{"trip": "Rome"}')
    with pytest.raises(DataError, match='is no plan of mmwsss'):
        plan(*tagged_folder, str(folder), **NONE)


def test_the_plan_in_words(planned):
    text = plan_text(planned[1])
    assert '24 photos, 3 of them held out; dog 16, person 16' in text
    assert 'time: about ' in text and 'disk: about ' in text
    assert all(len(line.splitlines()) == 1 for line in text.split('\n'))
