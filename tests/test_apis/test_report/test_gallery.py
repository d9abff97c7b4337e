"""The photos of a report."""
import copy
import os.path as osp

import pytest
from report_runs import CLASSES, EVIL, make_run

from mmwsss.apis.report import gallery as module
from mmwsss.apis.report.gallery import gallery
from mmwsss.apis.report.older import find_records
from mmwsss.apis.report.runs import Part, find_runs
from mmwsss.evaluation.photo_scores import FAILURES, SIGNS


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    [run] = find_runs(make_run(str(tmp_path_factory.mktemp('g')), count=9))
    find_records(run)
    return run


def titled(run):
    return [(part.name, part) for part in run.parts]


def test_photos_have_pictures_scores_and_doubts(run):
    shown = gallery(titled(run), run.doubts)
    assert shown.classes == list(CLASSES) and shown.parts == ['pseudo_val']
    photos = {photo['name']: photo for photo in shown.photos}
    assert len(photos) == 9 and shown.note == ''
    first, evil = photos['photo00'], photos[EVIL]
    assert first['photo'].startswith('data:image/webp')
    assert first['truth'].startswith('data:image/png')
    assert [index for index, _ in first['maps']] == [1] == first['labels']
    [mask] = first['masks']
    assert mask['score'] == 100 and mask['ious'] == {1: 100}
    assert mask['areas'] == {1: 13} and mask['failures'] == {}
    assert first['doubt'] is None and evil['doubt'] == 1


def test_the_worst_are_kept_where_there_are_too_many(run, monkeypatch):
    monkeypatch.setattr(module, 'MOST_PHOTOS', 6)
    shown = gallery(titled(run))
    scores = sorted(photo['masks'][0]['score'] for photo in shown.photos)
    everything = sorted(photo.score for part in run.parts if part.records
                        for photo in part.records.photos)
    assert len(scores) == 6 and scores[:4] == everything[:4]
    assert 'Of 9 photos 6 are here' in shown.note
    monkeypatch.setattr(module, 'MOST_MASKS', 6)
    twice = [*titled(run), *titled(run)]
    assert len(gallery(twice).photos) == 3


def test_masks_of_one_photo_stand_together(run):
    [part] = [part for part in run.parts if part.records]
    shown = gallery([('one', part), ('two', part)])
    assert len(shown.photos) == 9 and shown.parts == ['one', 'two']
    assert all(len(photo['masks']) == 2 for photo in shown.photos)


def test_it_opens_on_the_part_that_is_named(run):
    [part] = [part for part in run.parts if part.records]
    twice = [('one', part), ('two', copy.copy(part))]
    assert gallery(twice, opening=part).opening == 0
    assert gallery(twice, opening=twice[1][1]).opening == 1
    assert gallery(twice).opening == 1


@pytest.mark.parametrize('truths', [True, False])
def test_failures_are_those_that_can_be_known(tmp_path, truths):
    [run] = find_runs(make_run(str(tmp_path), 4, truths=truths))
    find_records(run)
    [part] = [part for part in run.parts if part.records]
    for photo in part.records.photos:
        photo.labels = [1, 2]
    shown = gallery([('one', part)])
    assert list(shown.failures) == [*(FAILURES if truths else ()), *SIGNS]
    [photo] = [one for one in shown.photos if one['name'] == 'photo00']
    assert photo['masks'][0]['failures'] == {
        2: ['labelled, not in the mask']}


def test_nothing_to_show(tmp_path):
    assert gallery([]) is None
    assert gallery([('a', Part('a', osp.join(tmp_path, 'a')))]) is None
