"""Labels of photos whose own data set knows none."""
import copy

import pytest
from report_runs import make_run

from mmwsss.apis.report.class_sections import class_sections
from mmwsss.apis.report.labels import share_labels
from mmwsss.apis.report.older import find_records
from mmwsss.apis.report.runs import find_runs


@pytest.fixture
def run(tmp_path):
    """A test after the masks, which found no cat."""
    [run] = find_runs(make_run(str(tmp_path), 4, truths=False))
    find_records(run)
    [masks] = [part for part in run.parts if part.records]
    test = copy.deepcopy(masks)
    test.name = 'test'
    for photo in test.records.photos:
        photo.labels = None
        photo.counts = [one for one in photo.counts if one[0] != 1]
    run.parts.append(test)
    return run


def lacking(run):
    """By class, photos of the test that are labelled, but without it."""
    table = class_sections(run)[-1].blocks[-1]
    assert 'labelled, but not in it' in table.columns
    return [row[2] for row in table.rows]


def test_masks_of_a_test_are_held_against_the_labels(run):
    assert lacking(run) == [None, None, None]
    share_labels(run)
    assert lacking(run) == [None, 2, 0]
    assert [photo.labels for photo in run.parts[-1].records.photos] == [
        photo.labels for photo in run.parts[-2].records.photos]


def test_labels_of_other_classes_or_photos_are_not_taken(run):
    run.parts[-1].records.classes = ['background', 'dog', 'cat']
    share_labels(run)
    assert {photo.labels for photo in run.parts[-1].records.photos} == {None}
    for photo in run.parts[-1].records.photos:
        photo.photo += 'x'
    run.parts[-1].records.classes = run.parts[-2].records.classes
    share_labels(run)
    assert {photo.labels for photo in run.parts[-1].records.photos} == {None}
