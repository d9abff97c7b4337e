"""IoU and failures of single photos."""
import numpy as np
import pytest

from mmwsss.evaluation.photo_scores import (
    FAILURES,
    SIGNS,
    class_ious,
    confusion,
    failures,
    merged_classes,
    photo_counts,
    signs,
)


def square(value, top, left, side, canvas=None):
    mask = np.zeros((40, 40), np.uint8) if canvas is None else canvas
    mask[top:top + side, left:left + side] = value
    return mask


def test_counts_are_those_of_each_pair():
    rng = np.random.default_rng(0)
    mask, truth = rng.choice([0, 1, 2, 255], (2, 30, 40)).astype(np.uint8)
    counts = photo_counts(mask, truth)
    for one, true, count in counts:
        assert count == ((mask == one) & (truth == true)).sum() > 0
    assert sum(count for _, _, count in counts) == (truth != 255).sum()
    assert {true for _, true, _ in counts} == {0, 1, 2}
    assert {one for one, _, _ in counts} == {0, 1, 2, 255}


def test_counts_without_a_true_mask():
    assert photo_counts(np.array([[0, 3], [3, 3]]), None) == [
        [0, -1, 1], [3, -1, 3]]
    assert photo_counts(np.zeros((0, 4), np.uint8), None) == []


def test_iou_is_the_overlap_of_mask_and_truth():
    rng = np.random.default_rng(0)
    mask, truth = rng.choice([0, 1, 2], (2, 30, 40)).astype(np.uint8)
    ious = class_ious(photo_counts(mask, truth))
    assert set(ious) == {1, 2}
    for index, iou in ious.items():
        both = ((mask == index) & (truth == index)).sum()
        either = ((mask == index) | (truth == index)).sum()
        assert iou == pytest.approx(100 * both / either, abs=0.06)


def test_iou_leaves_out_what_a_mask_leaves_open():
    mask, truth = square(1, 0, 0, 10), square(1, 0, 0, 20)
    mask[:20, 10:20] = 255
    mask[10:20, :10] = 255
    assert class_ious(photo_counts(mask, truth)) == {1: 100}


@pytest.mark.parametrize('mask, truth, expected', [
    (square(1, 0, 0, 20), square(1, 0, 0, 20), {}),
    (square(1, 0, 0, 5), square(1, 0, 0, 20), {1: ['missed']}),
    (square(1, 0, 0, 40), square(1, 0, 0, 20), {1: ['too large']}),
    (square(2, 0, 0, 20), square(1, 0, 0, 20),
     {1: ['missed', 'wrong class'], 2: ['wrong class']}),
    (square(0, 0, 0, 1), square(0, 0, 0, 1), {}),
])
def test_failures_are_named(mask, truth, expected):
    found = failures(photo_counts(mask, truth))
    assert found == expected
    assert {name for names in found.values() for name in names} <= set(
        FAILURES)


def test_two_objects_in_one_piece_are_merged():
    truth = square(1, 10, 0, 12)
    square(1, 10, 20, 12, truth)
    one = np.zeros((40, 40), np.uint8)
    one[10:22] = 1
    assert merged_classes(one, truth) == [1]
    assert failures(photo_counts(one, truth), [1])[1] == ['merged']
    assert merged_classes(truth, truth) == []
    assert merged_classes(one, one) == []
    # A speck is no object.
    speck = square(1, 10, 0, 12)
    speck[15, 30] = 1
    assert merged_classes(one, speck) == []


def test_the_confusion_matrix_has_a_line_for_each_true_class():
    mask, truth = square(2, 0, 0, 20), square(1, 0, 0, 20)
    mask[39] = 255
    matrix = confusion([photo_counts(mask, truth),
                        photo_counts(truth, truth),
                        photo_counts(mask, None)], 3)
    assert matrix.tolist() == [[2 * 1200 - 40, 0, 0, 40],
                               [0, 400, 400, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize('areas, labels, expected', [
    ({0: 60., 1: 40.}, [1], {}),
    ({0: 60., 1: 40.}, [1, 2], {2: ['labelled, not in the mask']}),
    ({0: 99.9, 1: 0.1}, [1], {1: ['labelled, not in the mask']}),
    ({0: 99.9, 1: 0.1}, [], {}),  # a speck
    ({0: 60., 1: 40.}, [], {1: ['in the mask, not labelled']}),
    ({0: 60., 1: 40.}, None, {}),
    ({0: 5., 1: 95.}, None, {1: ['nearly the whole photo']}),
    ({0: 95., 255: 5.}, [], {})])
def test_signs_need_no_true_mask(areas, labels, expected):
    assert signs(areas, labels) == expected
    assert {name for names in expected.values() for name in names} <= set(
        SIGNS)
