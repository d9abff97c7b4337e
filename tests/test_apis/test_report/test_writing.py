"""The page of a report, from folders."""
import html
import os
import os.path as osp
import re
import shutil

import pytest
from command_lines import logged, run_tool
from report_runs import EVIL, make_run

from mmwsss.apis import write_report
from mmwsss.files.json_files import read_json, write_json
from mmwsss.problems import ConfigError, DataError


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
    return make_run(str(tmp_path_factory.mktemp('report')), count=4)


@pytest.fixture
def run(finished, tmp_path):
    return str(shutil.copytree(finished, tmp_path / 'run'))


def test_a_report_says_what_was_run_and_how_good_it_is(run):
    path = write_report(run)
    assert path == osp.join(run, 'report.html')
    text = open(path, encoding='utf-8').read()
    for part in ('mIoU says how good masks are', '61.2', '91.5', '93.0',
                 'my_localizer.py', 'a processor', '75 s', '67 min',
                 'Look at these labels', 'Losses of the localizer',
                 'Validation of the localizer', 'background threshold',
                 'Where the pixels of each class went'):
        assert part in text, part
    assert EVIL not in text
    assert '&lt;script&gt;alert(1)' in text


def test_a_page_is_made_anew_only_where_something_has_changed(run):
    path = write_report(run)
    before = os.stat(path).st_mtime_ns
    write_report(run)
    assert os.stat(path).st_mtime_ns == before
    scores = osp.join(run, 'pseudo_val', 'scores.json')
    write_json(scores, dict(read_json(scores), mIoU=12.3))
    write_report(run)
    assert '12.3' in open(path, encoding='utf-8').read()


def test_several_folders_stand_side_by_side(run, tmp_path):
    other = str(shutil.copytree(run, tmp_path / 'other'))
    out = str(tmp_path / 'new' / 'both.html')
    assert write_report([run, other], out) == out
    text = open(out, encoding='utf-8').read()
    assert 'run: How good it is' in text
    assert 'other: masks of the held-out photos' in text
    assert not osp.exists(osp.join(run, 'report.html'))


@pytest.fixture
def tested(run):
    """A run whose test has no labels, after masks of training photos."""
    for name, key, settings in (
            ('pseudo_train', '3', dict(stage='Generate', split='train')),
            ('test', '4', dict(stage='Test'))):
        folder = osp.join(run, name)
        shutil.copytree(osp.join(run, 'pseudo_val'), folder)
        write_json(osp.join(folder, 'stage.json'), dict(
            key=key, inputs={}, results={}, settings=settings))
    path = osp.join(folder, 'photos.json')
    content = read_json(path)
    for photo in content['photos']:
        photo['labels'] = None
    write_json(path, content)
    return run


def test_the_page_opens_on_training_masks_and_a_test_has_labels(tested):
    for count in (1, 2):
        page = osp.join(tested, f'{count}.html')
        text = open(write_report([tested] * count, page)).read()
        [opened] = re.findall(r'<option value="\d+" selected>(.*?)<', text)
        assert opened.endswith('masks of the training photos')
    heading = 'Classes: the network on the held-out photos'
    cells = re.findall(r'"labelled, but not in it">(.*?)<',
                       text[text.rindex(heading):])
    assert cells[:3] == ['–', '0', '0']


def test_runs_of_one_name_are_told_apart(finished, tmp_path):
    places = [str(shutil.copytree(finished, tmp_path / name / 'seed_0'))
              for name in ('cam', 'mmct')]
    text = open(write_report(places), encoding='utf-8').read()
    assert 'Side by side' in text
    for name in ('cam', 'mmct'):
        assert f'scope="row">{name}/seed_0</th>' in text
        assert f'{name}/seed_0: masks of the held-out photos</option>' in text


def test_a_single_stage_and_a_damaged_one(run):
    part = osp.join(run, 'pseudo_val')
    text = open(write_report(part)).read()
    assert 'mIoU, masks of the held-out photos' in text
    with open(osp.join(part, 'photos.json'), 'w') as file:
        file.write('{')
    text = open(write_report(part)).read()
    assert 'photos.json: not valid JSON' in text
    assert 'mIoU, masks of the held-out photos' in text


@pytest.mark.parametrize('content, file, remedy', [
    (b'{', 'plan.json',
     'give mmwsss fit another --work-dir'),
    (b'', 'localizer/stage.json',
     'run mmwsss fit'),
    (b'[1]', 'pseudo_val/scores.json',
     'remove the folder'),
    (b'', 'pseudo_val/photos.json',
     'and make the report again'),
    (b'{', 'pseudo_val/maps/photo01.npz',
     'remove the folder'),
    (b'\x89PNG\r\n', 'pseudo_val/masks/photo01.png',
     'remove the folder'),
    (b'{', 'doubtful_labels/doubtful_labels.json',
     'remove the folder')])
def test_one_bad_file_costs_its_part_of_the_page(run, file, remedy, content):
    path = osp.join(run, file)
    plan = osp.join(run, 'plan.json')
    write_json(plan, dict(request=dict(photos='/my photos', labels='l.csv')))
    whole = path if osp.isfile(path) else plan
    with open(whole, 'rb') as kept:
        before = kept.read()
    with open(path, 'wb') as broken:
        broken.write(content)
    with logged() as lines:
        page = write_report(run)
    text = html.unescape(open(page, encoding='utf-8').read())
    [line] = [line for line in lines if line.startswith('left out: ')]
    assert path in line and remedy in line and line in text
    if remedy != 'and make the report again' and file != 'plan.json':
        assert "mmwsss fit '/my photos' l.csv --work-dir " in line
    assert 'Losses of ' in text
    with open(path, 'wb') as mended:
        mended.write(before)
    assert 'left out: ' not in open(write_report(run)).read()


def test_a_bad_comparison_leaves_the_rest(run):
    with open(osp.join(run, 'comparison.json'), 'w') as file:
        file.write('{"rows": 7}')
    text = open(write_report(run)).read()
    assert 'tools/compare.py as before' in text and 'Losses of ' in text


def test_folders_without_results(tmp_path):
    with pytest.raises(DataError, match='holds no results; name the folder'):
        write_report(str(tmp_path))
    with pytest.raises(DataError, match='no such folder'):
        write_report(str(tmp_path / 'a'))
    with pytest.raises(ConfigError, match='give a folder'):
        write_report([])


def test_the_tool_prints_where_the_page_is(run, tmp_path, capsys):
    out = tmp_path / 'page.html'
    assert run_tool('analysis/report', run, '--out', out) is None
    assert capsys.readouterr().out.splitlines()[-1] == str(out)
    assert out.is_file()
    assert 'holds no results' in run_tool('analysis/report',
                                          osp.join(run, 'doubtful_labels'))
