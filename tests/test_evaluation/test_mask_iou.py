"""Scores of masks."""
import numpy as np
import pytest
import torch

from mmwsss.evaluation import MaskIoU

NAMES = ('background', 'red', 'blue', 'green')


def test_scores_by_hand():
    scorer = MaskIoU(classes=NAMES)
    mask = np.array([[0, 1, 1, 255], [2, 2, 0, 0]], np.uint8)
    truth = torch.tensor([[0, 1, 2, 1], [2, 2, 0, 255]])
    report = scorer.report(scorer.count(mask, truth))
    assert report['ignored'] == round(100 / 7, 4)
    assert report['IoU'] == dict(background=100., red=50., blue=66.6667,
                                 green=None)
    assert report['precision'] == dict(background=100., red=50., blue=100.,
                                       green=None)
    assert report['recall']['blue'] == 66.6667
    assert report['mIoU'] == pytest.approx((100 + 50 + 200 / 3) / 3, abs=1e-3)


def test_counts_of_several_masks_add_up():
    scorer = MaskIoU(classes=NAMES)
    rng = np.random.default_rng(0)
    masks = rng.choice([0, 1, 2, 3, 255], (2, 6, 8)).astype(np.uint8)
    truths = torch.from_numpy(rng.choice([0, 1, 2, 3, 255], (2, 6, 8)))
    together = scorer.count(masks.reshape(12, 8), truths.reshape(12, 8))
    assert torch.equal(together, sum(
        scorer.count(*pair) for pair in zip(masks, truths)))
    assert together.sum() == (truths != 255).sum()


def test_nothing_known():
    scorer = MaskIoU(classes=NAMES)
    report = scorer.report(scorer.count(np.array([[255]], np.uint8),
                                        torch.tensor([[1]])))
    assert report['ignored'] == 100
