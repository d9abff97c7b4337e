"""What all masks of a data set hold together."""
import re

import numpy as np
import pytest
from PIL import Image

from mmwsss.files.mask_survey import (
    nothing_to_learn,
    nothing_to_score,
    survey_masks,
)
from mmwsss.files.masks import MaskClasses
from mmwsss.problems import Problems

NAMES = ('background', 'red', 'blue')


def pixels(*values):
    return np.bincount(values, minlength=256)


def test_pixels_of_all_masks_are_counted_and_wrong_ones_named(tmp_path):
    contents = dict(a=[[0, 1, 255]], b=[[2, 2, 1]], c=[[0, 38, 75]])
    for name, content in contents.items():
        Image.fromarray(np.array(content, np.uint8)).save(
            tmp_path / f'{name}.png')
    problems = Problems('masks')
    paths = [str(tmp_path / f'{name}.png') for name in (*contents, 'none')]
    total = survey_masks(paths, MaskClasses(3), problems)
    assert total[[0, 1, 2, 255]].tolist() == [1, 2, 2, 1]
    assert total.sum() == 6
    assert len(problems.lines) == 2
    assert 'c.png: values 38, 75, but there are 3' in problems.lines[0]
    assert 'none.png: mask cannot be read' in problems.lines[1]


@pytest.mark.parametrize('values, line', [
    ((255, 255), 'no true mask has a known pixel, all are 255'),
    ((0, 0), 'no true mask has a pixel of a class other than background'),
    ((0, 255), 'masks of 0 and 255'),
    ((0, 1), None), ((1, 255), None)])
def test_what_can_be_scored(values, line):
    found = nothing_to_score(pixels(*values), NAMES)
    assert found is None if line is None else line in found


def test_without_background_the_first_class_counts():
    assert nothing_to_score(pixels(0), ('road', 'sky')) is None


@pytest.mark.parametrize('values, line', [
    ((255, ), 'all pixels of all masks are 255.*two thresholds'),
    ((0, ), "all pixels of all masks are 'background'; choose another"),
    ((0, 255), "are 'background' or 255"),
    ((2, 255), "are 'blue' or 255 .*need background"),
    ((0, 1), None), ((1, 2), None)])
def test_what_can_be_learned(values, line):
    found = nothing_to_learn(pixels(*values), NAMES)
    assert found is None if line is None else re.search(line, found)
