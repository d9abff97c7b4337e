"""The papers' figure from result folders."""
import os.path as osp

import pytest
from command_lines import run_tool
from PIL import Image
from report_runs import make_run

from mmwsss.apis import figures
from mmwsss.apis.figures import write_figure
from mmwsss.problems import ConfigError, DataError


@pytest.fixture(scope='module')
def part(tmp_path_factory):
    run = make_run(str(tmp_path_factory.mktemp('figure')), count=6)
    return osp.join(run, 'pseudo_val')


@pytest.fixture
def drawn(monkeypatch):
    """What is drawn, instead of the drawing."""
    calls = []
    monkeypatch.setattr(figures, 'draw_figure',
                        lambda *arguments: calls.append(arguments))
    return calls


def test_input_map_masks_and_truth_of_chosen_photos(part, drawn):
    write_figure([part, part], ['photo01', 'photo02'], 'a.pdf',
                 ['one', 'two'])
    [(_, columns, rows, legend)] = drawn
    assert columns == ['input', 'map', 'one', 'two', 'truth']
    captions = [[caption for caption, _ in row] for row in rows]
    assert captions[1] == [
        'photo02', 'cat', 'IoU: cat 82 %', 'IoU: cat 82 %', 'cat']
    assert [name for name, _ in legend][0] == 'cat' and len(legend) == 2
    # The mask is moved by two pixels against the truth.
    _, mask = rows[1][2]
    _, truth = rows[1][4]
    assert mask.shape == truth.shape == (48, 64, 3)
    assert (mask != truth).any()


def test_no_column_for_truth_where_there_is_none(tmp_path, drawn):
    run = make_run(str(tmp_path), count=6, truths=False)
    write_figure([osp.join(run, 'pseudo_val')], ['photo00'], 'a.pdf')
    [(_, columns, rows, _)] = drawn
    assert columns == ['input', 'map', 'pseudo_val']
    assert [caption for caption, _ in rows[0]] == [
        'photo00', 'cat', 'share of the photo: cat 13 %']


def test_truth_that_only_the_second_folder_has(part, tmp_path, drawn):
    other = make_run(str(tmp_path), count=6, truths=False)
    write_figure([osp.join(other, 'pseudo_val'), part], ['photo02'], 'a.pdf')
    [(_, columns, rows, _)] = drawn
    assert columns[-1] == 'truth'
    assert [caption for caption, _ in rows[0]][2:] == [
        'share of the photo: cat 13 %', 'IoU: cat 82 %', 'cat']


def test_typical_photos_where_none_is_chosen(part, drawn):
    write_figure([part], [], 'a.png')
    [(_, columns, rows, _)] = drawn
    assert len(rows) == 4 and columns[2] == 'pseudo_val'
    names = [row[0][0] for row in rows]
    assert 'photo00' not in names  # the best one, IoU 100


@pytest.mark.parametrize('arguments, error, text', [
    ((['photo1'], 'a.pdf'), DataError, "unknown id 'photo1' .did you mean"),
    (([], 'a.gif'), ConfigError, 'a.gif: end it with one of'),
    (([], 'a.pdf', ['a', 'b']), ConfigError, '--titles: 2 for 1 folders')])
def test_mistakes(part, arguments, error, text):
    with pytest.raises(error, match=text):
        write_figure([part], *arguments)


def test_the_tool_draws(part, tmp_path, capsys):
    out = tmp_path / 'figure.png'
    assert run_tool('analysis/figure', part, '--ids', 'photo01', '--out',
                    out) is None
    with Image.open(out) as image:
        assert image.width > 500
    assert capsys.readouterr().out.splitlines()[-1] == str(out)
    assert 'holds no results' in run_tool('analysis/figure', tmp_path,
                                          '--out', out)
