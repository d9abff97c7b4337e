"""All problems of a data set in one report, and what a name could mean."""
import pytest

from mmwsss.problems import DataError, Problems, unknown_name


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
