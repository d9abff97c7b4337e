"""Doubt in labels."""
import numpy as np
import pytest

from mmwsss.ops import label_doubt


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
