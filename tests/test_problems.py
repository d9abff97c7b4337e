"""All problems of a data set in one report, and what a name could mean."""
import pytest
from command_lines import run_tool

from mmwsss.problems import (
    DataError,
    Problems,
    one_line,
    printable,
    unknown_name,
)


def test_no_problem_is_no_error():
    Problems('labels.csv').raise_if_any()


def test_all_problems_stand_in_one_error():
    problems = Problems('labels.csv', limit=3)
    for i in range(5):
        problems.add(f'line {i}: wrong')
    with pytest.raises(DataError) as caught:
        problems.raise_if_any()
    assert str(caught.value).splitlines() == [
        'labels.csv: 5 problem(s)', '  line 0: wrong', '  line 1: wrong',
        '  line 2: wrong', '  ... and 2 more']


def test_one_mistake_in_many_places_is_one_line():
    problems = Problems('labels.csv', limit=2)
    for i in range(1, 8):
        problems.add(f'line {i}: a comma', 'comma', f'line {i}')
    problems.add('line 8: no name', 'name', 'line 8')
    problems.add('line 9: no name', 'name', 'line 9')
    problems.add('line 10: wrong', 'wrong', 'line 10')
    problems.add('line 11: wrong', 'wrong', 'line 11')
    assert len(problems) == 11
    with pytest.raises(DataError) as caught:
        problems.raise_if_any()
    assert str(caught.value).splitlines() == [
        'labels.csv: 11 problem(s)',
        '  line 1: a comma; also line 2, line 3, line 4, line 5 and 2 more',
        '  line 8: no name; also line 9', '  ... and 2 more']
    problems.clear()
    problems.raise_if_any()
    problems.add('line 1: a comma', 'comma', 'line 1')
    assert problems.shown() == ['line 1: a comma']


def test_a_name_that_was_meant():
    assert unknown_name('class', 'sheeps', ['cow', 'sheep']) == (
        "unknown class 'sheeps' (did you mean 'sheep'?)")
    assert unknown_name('class', 'x', ['cow', 'sheep']) == (
        "unknown class 'x' (known: cow, sheep)")
    assert unknown_name('class', 'x', map(str, range(9))).endswith(', 7, ...)')


def test_only_hints_that_are_shown_are_made():
    made = []
    problems = Problems('labels.csv', limit=3)
    for i in range(5):
        problems.add(lambda i=i: made.append(i) or f'line {i}: wrong')
    assert made == []
    with pytest.raises(DataError, match='line 2: wrong\n  ... and 2 more'):
        problems.raise_if_any()
    assert made == [0, 1, 2]


def test_a_name_that_is_a_whole_file():
    line = unknown_name('class', 'dog;' * 50000, ['dog'])
    assert len(line) < 200 and line.endswith('(known: dog)')


@pytest.mark.parametrize('text, shown', [
    ('plain Größe 猫.jpg', 'plain Größe 猫.jpg'), ('a\nb', 'a\nb'),
    ('\x1b[31mred', r'\x1b[31mred'), ('a\rb\x00\x7f', r'a\rb\x00\x7f'),
    ('\x9b31m', r'\x9b31m'), ('\u202egpj.exe', r'\u202egpj.exe'),
    ('bad\udcff.jpg', r'bad\udcff.jpg'), ('\u2028', r'\u2028')])
def test_names_cannot_steer_the_terminal(text, shown):
    assert printable(text) == shown
    problems = Problems('photos\x1b')
    problems.add(text)
    with pytest.raises(DataError) as caught:
        problems.raise_if_any()
    assert str(caught.value).split('\n') == [
        r'photos\x1b: 1 problem(s)', '  ' + shown.replace('\n', ' ')]


def test_a_tool_shows_no_escape_of_a_name(tmp_path):
    folder = tmp_path / 'a\x1b[31m\x9b'
    said = run_tool('eval_pseudo', folder, '--gt', tmp_path, '--classes',
                    'voc12')
    assert said == f'error: {tmp_path}/a\\x1b[31m\\x9b: no such folder'


def test_errors_of_libraries_on_one_line():
    assert one_line(ValueError('a\n  b\tc')) == 'a b c'
    assert one_line(KeyError()) == 'KeyError'
    assert len(one_line(ValueError('x' * 9999))) < 400
