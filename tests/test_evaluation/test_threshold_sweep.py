"""Scores of masks at every background threshold."""
import numpy as np
import pytest
import torch

from mmwsss.evaluation import MaskIoU, ThresholdSweep
from mmwsss.files.maps import MapFile, map_to_mask

NAMES = ('background', 'red', 'blue')


def scene(seed=0):
    """Maps of both classes and a true mask."""
    rng = np.random.default_rng(seed)
    truth = torch.from_numpy(rng.choice([0, 0, 1, 2, 255], (12, 9)))
    maps = rng.integers(0, 256, (2, 12, 9)).astype(np.float32) / 255
    return MapFile(np.array([0, 1], np.int16), maps, (12, 9)), truth


@pytest.mark.parametrize('threshold', [None, 0.3, 0.123])
def test_scores_are_those_of_the_masks(threshold):
    scorer = ThresholdSweep(classes=NAMES, threshold=threshold)
    scenes = [scene(seed) for seed in range(3)]
    report = scorer.report(sum(scorer.count(*one) for one in scenes))
    used = report['threshold']
    assert used == (threshold or report['best_threshold'])
    masks = MaskIoU(classes=NAMES)
    want = masks.report(sum(masks.count(
        map_to_mask(file.maps, file.labels, used), truth)
        for file, truth in scenes))
    for name in ('mIoU', 'IoU', 'precision', 'recall', 'false_positive_rate',
                 'false_negative_rate'):
        assert report[name] == want[name], name
    assert report['best_mIoU'] == max(report['mIoU_curve'].values())
    assert report['mIoU_curve'][f'{used:g}'] == report['mIoU']


def test_two_thresholds_have_a_curve_and_no_class_scores():
    scorer = ThresholdSweep(classes=NAMES, threshold=(0.25, 0.655))
    report = scorer.report(scorer.count(*scene()))
    assert {'0.25', '0.655'} <= set(report['mIoU_curve'])
    assert 'IoU' not in report and 'threshold' not in report


def test_the_curve_is_drawn_and_the_table_printed(tmp_path, capsys):
    for threshold in (None, (0.2, 0.6)):
        scorer = ThresholdSweep(classes=NAMES, threshold=threshold)
        scorer.show(scorer.report(scorer.count(*scene())), 'three maps',
                    str(tmp_path))
        assert (tmp_path / 'threshold_curve.png').stat().st_size > 1000
        (tmp_path / 'threshold_curve.png').unlink()


def test_chosen_classes_only():
    scorer = ThresholdSweep(classes=NAMES, score_classes=['blue'])
    report = scorer.report(scorer.count(*scene()))
    assert list(report['IoU']) == ['blue']
    assert report['mIoU'] == report['IoU']['blue']
