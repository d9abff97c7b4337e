"""Probabilities from classifiers that have not seen the label."""
import numpy as np
import pytest

from mmwsss.evaluation.held_out_labels import (
    held_out_probabilities,
    judged_classes,
)
from mmwsss.ops import label_doubt


@pytest.fixture(params=[(200, 3), (400, 6)], ids=str)
def planted(request):
    """Features, true labels, labels with wrong ones, and where these are."""
    count, classes = request.param
    rng = np.random.default_rng(count)
    labels = rng.random((count, classes)) < 0.3
    centres = rng.normal(size=(classes, 24))
    features = labels @ centres + 0.3 * rng.normal(size=(count, 24))
    wrong = np.zeros_like(labels)
    for photo in rng.choice(count, 12, replace=False):
        wrong[photo, rng.integers(classes)] = True
    return features, labels, labels ^ wrong, wrong


def test_planted_errors_come_first(planted):
    features, _, given, wrong = planted
    doubt = label_doubt(held_out_probabilities(features, given), given)
    first = np.argsort(-doubt, axis=None)[:12]
    # Chance would find one in 40 or less.
    assert wrong.ravel()[first].sum() >= 10


def test_a_label_has_no_part_in_its_own_probability():
    """Features that tell photos apart, and say nothing of the class."""
    rng = np.random.default_rng(0)
    labels = rng.random((60, 1)) < 0.5
    found = held_out_probabilities(rng.normal(size=(60, 400)), labels)
    assert abs(found[labels].mean() - found[~labels].mean()) < 0.15


def test_the_seed_says_all(planted):
    features, _, given, _ = planted
    once = held_out_probabilities(features, given, seed=3)
    np.testing.assert_array_equal(
        once, held_out_probabilities(features, given, seed=3))
    assert (once != held_out_probabilities(features, given, seed=4)).any()


def test_features_may_have_any_unit(planted):
    features, _, given, _ = planted
    np.testing.assert_allclose(
        held_out_probabilities(features, given),
        held_out_probabilities(features * 1000 + 7, given), atol=1e-3)


def test_classes_with_too_few_photos_are_not_judged():
    labels = np.zeros((12, 4))
    labels[:4, 0] = 1  # too few with it
    labels[:6, 1] = 1
    labels[:8, 2] = 1  # too few without it
    labels[:, 3] = 1  # a feature that never varies does no harm either
    features = np.hstack([labels[:, 1:2], np.ones((12, 1))])
    found = held_out_probabilities(features, labels)
    assert judged_classes(labels, 5).tolist() == [False, True, False, False]
    assert np.isnan(found).all(0).tolist() == [True, False, True, True]
    assert np.isfinite(found[:, 1]).all()
