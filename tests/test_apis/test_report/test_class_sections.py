"""Scores by class."""
import copy

import pytest
from report_runs import CLASSES, make_run

from mmwsss.apis.report import class_sections as class_sections_module
from mmwsss.apis.report.class_sections import (
    agreement_section,
    class_sections,
)
from mmwsss.apis.report.older import find_records
from mmwsss.apis.report.runs import find_runs
from mmwsss.parallel.progress import in_threads


@pytest.fixture
def run(tmp_path):
    [run] = find_runs(make_run(str(tmp_path), 4))
    find_records(run)
    return run


def test_classes_have_scores_confusion_and_areas(run):
    [section] = class_sections(run)
    kinds = {block.kind: block for block in section.blocks}
    assert set(kinds) == {'text', 'table', 'chart', 'matrix'}
    by_class, *_, areas = [block for block in section.blocks
                           if block.kind == 'table']
    assert by_class.columns == ['class', 'AP', 'IoU', 'precision']
    assert by_class.rows[1] == ['cat', 90., 51., 51.]
    matrix = kinds['matrix']
    assert matrix.columns == list(CLASSES)
    for row in matrix.rows:
        assert sum(row) == pytest.approx(100)
    # Masks 0 and 2 of class 1 are moved by 0 and 2 of 20 pixels.
    assert matrix.rows[1][1] == pytest.approx(100 * (20 + 18) / 40)
    assert areas.rows[1][:3] == ('cat', 2, 0)


def test_masks_of_two_stages_are_compared(run, monkeypatch):
    assert agreement_section(run) is None
    [part] = [part for part in run.parts if part.records]
    other = copy.deepcopy(part)
    other.name = 'test'
    run.parts.append(other)
    section = agreement_section(run)
    assert section.blocks[-1].rows == [
        *((name, 100) for name in CLASSES), ('mean of these', 100)]
    run.parts.append(copy.deepcopy(other))
    bars = []
    monkeypatch.setattr(class_sections_module, 'in_threads', lambda *args: (
        bars.append(args[2]), in_threads(*args))[1])
    assert len(agreement_section(run).blocks) == 1 + 3  # pairs
    assert bars == ['Comparing masks']
    run.parts.pop()
    other.records.photos = other.records.photos[:2]
    assert ', 2 photos' in agreement_section(run).blocks[-1].caption
