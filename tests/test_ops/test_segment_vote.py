"""Segments vote on a mask, whatever the order of the classes."""
import numpy as np
import pytest
import torch
from parity_files import read

from mmwsss.ops import Segments, segment_vote

CASES = [f'case{case}/{{}}{ids}' for case in range(3)
         for ids in ('', '_ids_swapped')]


@pytest.fixture(scope='module')
def published(test_data):
    return {key: torch.from_numpy(array) for key, array in
            read(test_data('parity', 'sam_vote.npz')).items()}


def segments_of(published, case):
    return Segments.of_masks(published[f'{case.split("/")[0]}/segments'])


@pytest.mark.parametrize('case', CASES)
def test_parity_with_the_published_rule(published, case):
    voted = segment_vote(published[case.format('pred')],
                         segments_of(published, case), 20, order='published')
    assert torch.equal(voted, published[case.format('out')].long())


@pytest.mark.parametrize('case', range(3))
def test_the_published_rule_hangs_on_the_order_of_classes(published, case):
    """Which ours does not: two ids exchanged before are exchanged after."""
    segments = Segments.of_masks(published[f'case{case}/segments'])
    pred = published[f'case{case}/pred']
    swapped = published[f'case{case}/pred_ids_swapped']
    table = torch.arange(256)
    table[pred.long()] = swapped.long()
    same = {order: torch.equal(
        table[segment_vote(pred, segments, 20, order=order)],
        segment_vote(swapped, segments, 20, order=order))
        for order in ('none', 'published')}
    assert same == dict(none=True, published=False)


def random_case(seed, overlapping):
    """A mask of few values in blobs, and segments; ties are common."""
    rng = np.random.default_rng(seed)
    classes = int(rng.integers(1, 6))
    values = np.r_[0, np.arange(1, classes + 1), 255]
    mask = torch.from_numpy(np.kron(rng.choice(values, (3, 4)),
                                    np.ones((2, 2), np.int64)))
    if overlapping:
        return mask, Segments.of_masks(torch.from_numpy(
            rng.random((7, *mask.shape)) < 0.4)), classes
    return mask, Segments.of_labels(torch.from_numpy(
        rng.integers(0, 6, mask.shape))), classes


@pytest.mark.parametrize('overlapping', [True, False])
@pytest.mark.parametrize('seed', range(40))
def test_no_class_goes_before_another(seed, overlapping):
    mask, segments, classes = random_case(seed, overlapping)
    voted = segment_vote(mask, segments, classes, coverage=0.4)
    table = torch.arange(256)
    table[1:classes + 1] = 1 + torch.randperm(classes)
    assert torch.equal(
        segment_vote(table[mask], segments, classes, coverage=0.4),
        table[voted])


@pytest.mark.parametrize('order', ['none', 'published'])
@pytest.mark.parametrize('seed', range(10))
def test_no_segment_goes_before_another(seed, order):
    mask, segments, classes = random_case(seed, overlapping=True)
    voted = segment_vote(mask, segments, classes, coverage=0.4, order=order)
    pairs = torch.randperm(len(segments.pixels))
    other = Segments(torch.randperm(segments.number)[segments.owners][pairs],
                     segments.pixels[pairs], segments.number)
    assert torch.equal(voted, segment_vote(
        mask, other, classes, coverage=0.4, order=order))


@pytest.mark.parametrize('seed', range(10))
def test_segments_that_fit_the_mask_leave_it(seed):
    mask, _, classes = random_case(seed, overlapping=False)
    mask[mask == 255] = 0
    pieces = Segments.of_labels(1 + mask * 100 + torch.arange(8) // 3)
    assert torch.equal(segment_vote(mask, pieces, classes), mask)
    none = Segments.of_labels(torch.zeros_like(mask))
    assert torch.equal(segment_vote(mask, none, classes), mask)


def row(*values):
    return torch.tensor([values])


@pytest.mark.parametrize('mask, segments, voted', [
    # Half is no majority; and 255 counts in the area.
    (row(1, 1, 0, 0, 1, 1, 1), row(1, 1, 1, 1, 0, 0, 0),
     row(0, 0, 0, 0, 1, 1, 1)),
    (row(1, 1, 1, 255, 255, 1), row(1, 1, 1, 1, 1, 0),
     row(1, 1, 1, 1, 1, 1)),
    (row(1, 1, 255, 255, 1, 1), row(1, 1, 1, 1, 0, 0),
     row(0, 0, 0, 0, 1, 1)),
    # A class that lies in a segment takes it, however large that is, ...
    (row(1, 0, 0, 0, 0), row(1, 1, 1, 1, 1), row(1, 1, 1, 1, 1)),
    # ... unless another has more pixels there, or as many and is smaller.
    (row(1, 2, 2, 0, 0), row(1, 1, 1, 1, 1), row(2, 2, 2, 2, 2)),
    (row(*[1] * 6, *[2] * 6, 0, 0, 0, 1), row(*[1] * 15, 0),
     row(*[2] * 15, 1)),
    # 17 of 20 are 85%.
    (row(*[1] * 20, *[0] * 20), row(*[0] * 3, *[1] * 37), row(*[1] * 40)),
    # Equals leave it; what is in no segment stays, unknown or not.
    (row(1, 2, 0, 0), row(1, 1, 1, 1), row(0, 0, 0, 0)),
    (row(1, 2, 255, 0), row(0, 0, 0, 0), row(1, 2, 255, 0)),
])
def test_rules_of_one_segment(mask, segments, voted):
    assert torch.equal(segment_vote(mask, Segments.of_labels(segments), 2),
                       voted)


@pytest.mark.parametrize('masks, voted', [
    # The purer of two segments, ...
    ([row(1, 1, 1, 1, 1, 0, 0, 0), row(0, 0, 0, 1, 1, 1, 1, 0)],
     row(1, 1, 1, 1, 1, 2, 2, 2)),
    # ... of equally pure ones the smaller.
    ([row(1, 1, 1, 1, 1, 1, 0, 0), row(0, 0, 0, 1, 1, 1, 0, 0)],
     row(1, 1, 1, 2, 2, 2, 2, 2)),
])
def test_pixels_of_two_segments(masks, voted):
    mask = row(1, 1, 1, 1, 2, 2, 2, 2)
    assert torch.equal(voted, segment_vote(
        mask, Segments.of_masks(torch.stack(masks)), 2))


def test_equal_segments_of_two_classes_leave_a_pixel_as_it_is():
    masks = torch.stack([row(1, 1, 1, 0, 0), row(0, 0, 1, 1, 1)])
    for middle in (0, 1, 2, 255):
        mask = row(1, 1, middle, 2, 2)
        voted = segment_vote(mask, Segments.of_masks(masks), 2)
        # With 1 or 2 the segment of that class is purer.
        assert torch.equal(voted, mask)


def test_both_ways_to_name_segments_agree():
    labels = torch.randint(0, 5, (6, 7))
    masks = labels == torch.arange(1, 5)[:, None, None]
    mask = torch.randint(0, 4, (6, 7))
    assert torch.equal(
        segment_vote(mask, Segments.of_labels(labels), 3),
        segment_vote(mask, Segments.of_masks(masks), 3))
