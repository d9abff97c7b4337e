"""PxAP and pIoU."""

import numpy as np
import pytest
import torch

from mmwsss.ops import pixel_histogram, pixel_scores, pixel_thresholds

sklearn_metrics = pytest.importorskip('sklearn.metrics')
average_precision_score = sklearn_metrics.average_precision_score

THRESHOLDS = pixel_thresholds()


def by_hand(scores, inside):
    """Every threshold on its own, from the highest: (PxAP, pIoU, where)."""
    area, peak, where, recall_before = 0., 0., 0., 0.
    for step in range(1000, -1, -1):
        predicted = scores >= step / 1000
        hits = (predicted & inside).sum()
        if predicted.sum():
            recall = hits / inside.sum()
            area += hits / predicted.sum() * (recall - recall_before)
            recall_before = recall
        iou = hits / (predicted | inside).sum()
        if iou >= peak:
            peak, where = iou, step / 1000
    return area, peak, where


def scored(scores, inside):
    return pixel_scores(
        pixel_histogram(torch.as_tensor(scores), torch.as_tensor(inside),
                        THRESHOLDS), THRESHOLDS)


@pytest.mark.parametrize('seed', range(4))
def test_agrees_with_each_threshold_on_its_own(seed):
    rng = np.random.default_rng(seed)
    inside = rng.random(3000) < 0.3
    scores = np.clip(rng.normal(0.4 + 0.2 * inside, 0.2), 0, 1)
    result = scored(scores, inside)
    area, peak, where = by_hand(scores, inside)
    assert result.average_precision.item() == pytest.approx(area, abs=1e-12)
    assert result.peak_iou.item() == pytest.approx(peak, abs=1e-12)
    assert result.peak_threshold.item() == where
    # Sorting all scores gives the area without the steps of 0.001.
    exact = average_precision_score(inside, scores)
    assert result.average_precision.item() == pytest.approx(exact, abs=2e-3)


def test_equals_the_sorted_area_where_scores_lie_on_the_steps():
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 21, 500) / 20
    inside = rng.random(500) < scores
    assert scored(scores, inside).average_precision.item() == pytest.approx(
        average_precision_score(inside, scores), abs=1e-12)


def test_edges():
    inside = np.array([True, True, False, False])
    perfect = scored(inside.astype(float), inside)
    assert perfect.average_precision == 1 and perfect.peak_iou == 1
    assert perfect.peak_threshold == 0.001
    flat = scored(np.full(4, 0.3), inside)
    assert flat.average_precision == 0.5 and flat.peak_iou == 0.5
    inverse = scored((~inside).astype(float), inside)
    assert inverse.average_precision == 0.5 and inverse.peak_iou == 0.5
    none = scored(np.full(4, 0.3), np.zeros(4, bool))
    assert none.average_precision.isnan() and none.peak_iou.isnan()
    nothing = scored(np.zeros(0), np.zeros(0, bool))
    assert nothing.average_precision.isnan()


def test_parts_add_up():
    rng = np.random.default_rng(0)
    scores, inside = rng.random(999), rng.random(999) < 0.5
    parts = sum(pixel_histogram(torch.as_tensor(s), torch.as_tensor(i),
                                THRESHOLDS)
                for s, i in zip(np.array_split(scores, 7),
                                np.array_split(inside, 7)))
    whole = pixel_histogram(torch.as_tensor(scores), torch.as_tensor(inside),
                            THRESHOLDS)
    assert torch.equal(parts, whole)
