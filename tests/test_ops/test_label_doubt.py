"""Doubt in labels."""
import numpy as np
import pytest

from mmwsss.ops import label_doubt, most_doubtful


@pytest.fixture
def drawn():
    rng = np.random.default_rng(0)
    return rng.random((60, 4)), rng.random((60, 4)) < (.1, .3, .5, .8)


def test_bayes_rule_by_hand():
    # A quarter has the class, so odds of 1 : 3 say nothing.
    labels = np.array([[1], [0], [0], [0]])
    for probability, expected in ((0.25, 0.5), (0.5, 0.25), (0.1, 0.75)):
        doubt = label_doubt(np.full((4, 1), probability), labels)
        assert doubt[0, 0] == pytest.approx(expected)
        assert doubt[1:, 0] == pytest.approx(probability)


def test_it_falls_with_the_probability_of_what_is_labelled(drawn):
    probabilities, labels = drawn
    doubt = label_doubt(probabilities, labels)
    assert (doubt >= 0).all() and (doubt <= 1).all()
    for index in range(4):
        for value, sign in ((True, -1), (False, 1)):
            chosen = labels[:, index] == value
            order = np.argsort(probabilities[chosen, index])
            assert (np.diff(sign * doubt[chosen, index][order]) >= 0).all()


def test_classes_are_judged_on_their_own(drawn):
    probabilities, labels = drawn
    whole = label_doubt(probabilities, labels)
    np.testing.assert_array_equal(
        whole[:, ::-1], label_doubt(probabilities[:, ::-1], labels[:, ::-1]))
    np.testing.assert_array_equal(
        whole[:, :1], label_doubt(probabilities[:, :1], labels[:, :1]))


@pytest.mark.parametrize('value', [0, 1])
def test_one_sided_labels_and_a_sure_classifier_are_no_error(value):
    with np.errstate(all='raise'):
        doubt = label_doubt(np.array([[0.], [1.], [0.5]]),
                            np.full((3, 1), value))
    assert np.isfinite(doubt).all()


def test_what_is_not_known_stays_so():
    doubt = label_doubt(np.array([[np.nan, 0.2], [np.nan, 0.7]]),
                        np.array([[1, 0], [0, 1]]))
    assert np.isnan(doubt[:, 0]).all() and np.isfinite(doubt[:, 1]).all()


@pytest.mark.parametrize('count, share, most', [
    (60, 0.05, 3), (61, 0.05, 4), (100, 0.07, 7), (5, 0.01, 1), (8, 1., 8)])
def test_the_list_is_as_long_as_wrong_labels_explain(count, share, most):
    doubt = np.random.default_rng(count).uniform(0.5, 1, (count, 3))
    listed = most_doubtful(doubt, share)
    photos = np.unique(listed[:, 0])
    assert len(photos) == most and len(listed) == 3 * most
    values = doubt[tuple(listed.T)]
    assert (np.diff(values) <= 0).all()
    rest = np.delete(doubt, photos, axis=0)
    assert rest.max(initial=0) <= doubt[photos].max(1).min()


def test_what_is_likely_right_or_not_known_is_not_listed():
    doubt = np.array([[np.nan, 0.4], [0.6, np.nan], [0.1, 0.5], [0.9, 0.49]])
    assert most_doubtful(doubt, 1.).tolist() == [[3, 0], [1, 0], [2, 1]]
    assert most_doubtful(np.full((9, 2), np.nan), 1.).shape == (0, 2)


def test_an_image_counts_with_its_greatest_doubt():
    doubt = np.array([[0.6, 0.9], [0.8, 0.8], [0.7, 0.2]])
    assert most_doubtful(doubt, 0.3).tolist() == [[0, 1], [0, 0]]
