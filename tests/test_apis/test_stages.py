"""Stages: run once, go on, never mixed, never removed unasked."""
import json
import os
import os.path as osp
import shutil
from dataclasses import dataclass

import pytest
from command_lines import logged
from mmengine.config import Config

from mmwsss.apis.environment import environment
from mmwsss.apis.stages import Stage, differences, run_stages
from mmwsss.problems import ConfigError

calls = []


@dataclass
class Note(Stage):
    """Writes its inputs and a number of its config to a file."""

    def work(self, cfg, folder, given):
        calls.append(self.name)
        text = ' '.join([self.name, str(cfg.number),
                         *(one['text'] for one in given.values())])
        with open(osp.join(folder, 'note.txt'), 'w') as file:
            file.write(text)
        return dict(text=text)

    def whole(self, results, folder):
        return osp.isfile(osp.join(folder, 'note.txt'))


@pytest.fixture(autouse=True)
def no_calls():
    calls.clear()


def path(first=1, second=2):
    """Two stages, the second of which takes from the first."""
    return [Note('one', Config(dict(number=first))),
            Note('two', Config(dict(number=second)), dict(what='one'))]


def test_each_stage_once(tmp_path):
    results = run_stages(path(), str(tmp_path))
    assert results['two'] == dict(text='two 2 one 1')
    assert calls == ['one', 'two']
    assert run_stages(path(), str(tmp_path)) == results
    assert calls == ['one', 'two']


def test_time_and_machine_are_noted(tmp_path):
    run_stages(path(), str(tmp_path))
    record = json.load(open(tmp_path / 'two' / 'stage.json'))
    assert 0 <= record['seconds'] < 60
    assert record['environment'] == environment()
    # A record of before they were noted counts as well.
    del record['seconds'], record['environment'], record['digest']
    (tmp_path / 'two' / 'stage.json').write_text(json.dumps(record))
    run_stages(path(), str(tmp_path))
    assert calls == ['one', 'two']


def test_another_spelling_or_place_is_the_same_folder(tmp_path, monkeypatch):
    results = run_stages(path(), str(tmp_path / 'run'))
    monkeypatch.chdir(tmp_path)
    assert run_stages(path(), 'run/') == results
    shutil.move(tmp_path / 'run', tmp_path / 'moved')
    assert run_stages(path(), str(tmp_path / 'moved')) == results
    assert calls == ['one', 'two']


def test_other_settings_stop_before_any_work(tmp_path):
    run_stages(path(), str(tmp_path))
    with pytest.raises(ConfigError, match='two was made with other settings: '
                       'number: 2 -> 3. Give another --work-dir'):
        run_stages(path(second=3), str(tmp_path))
    with pytest.raises(ConfigError, match='one was made.*number: 1 -> 5'):
        run_stages(path(first=5), str(tmp_path))
    assert calls == ['one', 'two']
    assert (tmp_path / 'two' / 'note.txt').read_text() == 'two 2 one 1'
    results = run_stages(path(first=5), str(tmp_path), overwrite=True)
    assert results['two']['text'] == 'two 2 one 5'
    assert calls == ['one', 'two', 'one', 'two']


def test_a_changed_input_is_named(tmp_path):
    run_stages(path(), str(tmp_path))
    shutil.rmtree(tmp_path / 'one')
    with pytest.raises(ConfigError, match='two.*its what, made by one'):
        run_stages(path(first=4), str(tmp_path))


def test_an_interrupted_stage_goes_on(tmp_path, monkeypatch):
    def killed(*_):
        (tmp_path / 'one' / 'half.pth').write_text('half')
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Note, 'work', killed)
        with pytest.raises(KeyboardInterrupt):
            run_stages(path(), str(tmp_path))
    run_stages(path(), str(tmp_path))
    assert (tmp_path / 'one' / 'half.pth').read_text() == 'half'
    assert calls == ['one', 'two']


def test_a_lost_file_is_made_again(tmp_path):
    run_stages(path(), str(tmp_path))
    os.remove(tmp_path / 'one' / 'note.txt')
    run_stages(path(), str(tmp_path))
    assert calls == ['one', 'two', 'one']


@pytest.mark.parametrize('content', [
    '', '[1, 2', '"text"', '[]', 'null', '{}', '{"key": 3}',
    '{"key": "a", "results": [1]}', '{"key": "a", "settings": "x"}',
    '{"key": "a", "inputs": [["a", "b"]]}', '\x00' * 40])
def test_a_damaged_record_is_named(tmp_path, content):
    results = run_stages(path(), str(tmp_path))
    (tmp_path / 'one' / 'stage.json').write_text(content)
    (tmp_path / 'one' / 'trained.pth').write_text('precious')
    with logged() as lines:
        assert run_stages(path(), str(tmp_path)) == results
    [line] = [line for line in lines if 'stage.json: damaged' in line]
    assert 'stays' in line and '\n' not in line
    assert (tmp_path / 'one' / 'trained.pth').read_text() == 'precious'
    assert calls == ['one', 'two', 'one']


def test_every_change_of_a_record_is_seen(tmp_path):
    """What is still a record, but not the one that was written."""
    results = run_stages(path(), str(tmp_path))
    record = tmp_path / 'one' / 'stage.json'
    whole = record.read_text()
    for changed in (whole.replace('one 1', 'one 7'), whole[:-20] + '}',
                    whole.replace('"number": 1', '"number": "1"'),
                    whole.replace('"results"', '"Results"')):
        assert changed != whole
        record.write_text(changed)
        assert run_stages(path(), str(tmp_path)) == results
        assert record.read_text() == whole


def test_leftovers_of_a_kill_stop_nothing(tmp_path):
    (tmp_path / 'one').mkdir()
    (tmp_path / 'one' / 'stage.json.host.12.ab.tmp').write_text('{"ke')
    (tmp_path / 'one' / 'stage.json.12.tmp').write_text('')
    run_stages(path(), str(tmp_path))
    assert calls == ['one', 'two']


def test_a_record_of_another_version_is_not_taken(tmp_path):
    run_stages(path(), str(tmp_path))
    with open(tmp_path / 'one' / 'stage.json', 'w') as file:
        json.dump(dict(key='old', results=dict(text='old')), file)
    with pytest.raises(ConfigError, match='was made with other settings'):
        run_stages(path(), str(tmp_path))


def test_files_of_others_stay(tmp_path):
    (tmp_path / 'two').mkdir()
    (tmp_path / 'two' / 'thesis.tex').write_text('precious')
    for overwrite in (False, True):
        with pytest.raises(ConfigError, match='two: holds files of something'):
            run_stages(path(), str(tmp_path), overwrite)
    assert not calls
    assert (tmp_path / 'two' / 'thesis.tex').read_text() == 'precious'


def test_short_work_is_simply_done_again(tmp_path, monkeypatch):
    run_stages(path(), str(tmp_path))
    monkeypatch.setattr(Note, 'long', False)
    assert run_stages(path(second=3), str(tmp_path))['two'] == dict(
        text='two 3 one 1')
    assert calls == ['one', 'two', 'two']


def test_settings_follow_from_results(tmp_path):
    def adapt(cfg, given):
        cfg.number = len(given['what']['text'])

    stages = path()
    stages[1].adapt = adapt
    assert run_stages(stages, str(tmp_path))['two']['text'] == 'two 5 one 1'
    assert stages[1].config.number == 2


def test_differences_have_names():
    assert differences(dict(a=1, b='x', c=0), dict(a=1, b='y', d=[2])) == [
        "b: 'x' -> 'y'", 'c: 0 -> not there', 'd: not there -> [2]']


def test_other_data_are_said_in_words():
    name = 'train_dataloader.dataset.data'
    assert differences({name: '92c8ea1d'}, {name: '3c4ac8ad'}) == [
        f'{name}: other list, labels, photos or masks']
