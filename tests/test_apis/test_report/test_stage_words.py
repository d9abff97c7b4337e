"""What stages are called, and which one the page opens on."""
import pytest

from mmwsss.apis.photo_records import PhotoRecord, PhotoRecords
from mmwsss.apis.report.runs import Part, Run
from mmwsss.apis.report.stage_words import name_parts, opening_part
from mmwsss.files.masks import MaskClasses


def part(name, kind, photos=(), **settings):
    """A part whose key is its name."""
    inputs = settings.pop('inputs', {})
    records = PhotoRecords(['background', 'cat'], [], MaskClasses(2), '/', [
        PhotoRecord(photo, photo, None, None, [], []) for photo in photos])
    return Part(name, '/x', dict(key=name, inputs=inputs, settings=dict(
        settings, stage=kind)), records=records if photos else None)


@pytest.fixture
def run():
    """Of all stages that there are, with other names for their folders."""
    return Run('run', '/x', [
        part('a', 'Train'),
        part('b', 'Test', 'v', inputs=dict(checkpoint='a')),
        part('c', 'Generate', 't', split='train',
             inputs=dict(checkpoint='a')),
        part('d', 'Generate', 'v', split='val', inputs=dict(checkpoint='a')),
        part('e', 'CheckLabels', split='train'),
        part('f', 'Train', inputs=dict(threshold='c')),
        part('g', 'Generate', 't', split='train', **{'model.type': 'x.IRN'},
             inputs=dict(checkpoint='f', maps='c')),
        part('h', 'Generate', 't', split='train',
             **{'refiners.0.type': 'DenseCRF', 'model.type': 'MMCT'},
             inputs=dict(maps='c')),
        part('i', 'Train', inputs=dict(masks='g')),
        part('j', 'Test', 'v', inputs=dict(checkpoint='i'))])


def test_words_follow_what_a_stage_did(run):
    name_parts(run)
    assert [one.title for one in run.parts] == [
        'the localizer', 'the localizer on the held-out photos',
        'masks of the training photos', 'masks of the held-out photos',
        'doubtful labels', 'the affinity network',
        'masks of the training photos after IRN',
        'masks of the training photos after DenseCRF',
        'the segmentation network',
        'the segmentation network on the held-out photos']


def test_a_test_on_photos_that_were_learned_from_says_so(run):
    run.parts[-1] = part('j', 'Test', 't', inputs=dict(checkpoint='i'))
    name_parts(run)
    assert run.parts[-1].title == (
        'the segmentation network on the training photos')
    # Held-out photos are that, though a list of training photos has them.
    run.parts[3] = part('d', 'Generate', 't', split='val')
    name_parts(run)
    assert run.parts[-1].title == (
        'the segmentation network on the held-out photos')


def test_names_stay_where_words_would_be_the_same_or_are_not_known():
    run = Run('run', '/x', [
        part('maps', 'Generate', split='val'),
        part('again', 'Generate', split='val'), Part('results', '/x'),
        part('tuned', 'Train', inputs=dict(checkpoint='maps'))])
    name_parts(run)
    assert [one.title for one in run.parts] == [
        'masks of the held-out photos (maps)',
        'masks of the held-out photos (again)', 'results',
        'the network tuned']


@pytest.mark.parametrize('kept, opened', [
    ('abcdefghij', 'g'),  # what the segmentation network learned from
    ('abcdefgh', 'h'), ('abcd', 'c'), ('abd', 'd'), ('aj', 'j')])
def test_the_page_opens_on_the_masks_that_one_came_for(run, kept, opened):
    found = opening_part([one for one in run.parts if one.name in kept])
    assert found.name == opened


def test_without_masks_there_is_nothing_to_open(run):
    assert opening_part(run.parts[:1]) is None
    assert opening_part([]) is None
