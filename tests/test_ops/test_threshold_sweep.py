"""All background thresholds in one pass."""
import numpy as np
import pytest
import torch
from parity_files import read

from mmwsss.files.maps import map_to_mask
from mmwsss.ops import sweep_histogram, threshold_sweep
from mmwsss.ops.threshold_sweep import PIXELS_AT_ONCE


def random_image(rng, num_classes, k):
    labels = np.sort(rng.choice(num_classes, k, replace=False))
    maps = np.round(rng.random((k, 9, 11)), 2).astype(np.float32)
    target = rng.integers(0, num_classes + 1, (9, 11))
    target[0] = 255
    return maps, labels, target


def one_by_one(images, threshold, num_classes):
    """Counts of one threshold, pixel by pixel over the masks."""
    true_positive = np.zeros(num_classes + 1)
    predicted = np.zeros(num_classes + 1)
    for maps, labels, target in images:
        mask = map_to_mask(maps, labels, float(threshold))
        valid = target != 255
        for c in range(num_classes + 1):
            predicted[c] += (mask == c)[valid].sum()
            true_positive[c] += ((mask == c) & (target == c)).sum()
    return true_positive, predicted


def test_agrees_with_one_pass_per_threshold():
    rng = np.random.default_rng(0)
    images = [random_image(rng, 4, k) for k in (1, 3, 2)]
    thresholds = torch.arange(100) / 100
    total = sum(
        sweep_histogram(torch.from_numpy(m), torch.from_numpy(lab),
                        torch.from_numpy(t), thresholds, 4)
        for m, lab, t in images)
    result = threshold_sweep(total, thresholds)
    for i in (0, 7, 29, 50, 99):
        tp, predicted = one_by_one(images, thresholds[i], 4)
        np.testing.assert_array_equal(result.true_positive[i], tp)
        np.testing.assert_array_equal(result.predicted[i], predicted)


@pytest.mark.parametrize('k', [0, 2])
def test_a_large_photo_counts_as_its_pixels_do(k):
    """A photo that is counted in parts; here the same tile many times."""
    maps, labels, target = map(
        torch.from_numpy, random_image(np.random.default_rng(0), 4, k))
    thresholds = torch.arange(100) / 100
    tile = sweep_histogram(maps, labels, target, thresholds, 4)
    large = sweep_histogram(maps.repeat(1, 60, 50), labels,
                            target.repeat(60, 50), thresholds, 4)
    assert target.numel() * 60 * 50 > PIXELS_AT_ONCE
    assert tile.any() and torch.equal(large, tile * 60 * 50)


def test_image_without_a_class_is_background():
    target = torch.tensor([[0, 1], [255, 0]])
    thresholds = torch.tensor([0.5])
    histogram = sweep_histogram(
        torch.zeros(0, 2, 2), torch.zeros(0, dtype=torch.long), target,
        thresholds, 2)
    result = threshold_sweep(histogram, thresholds)
    assert result.predicted[0].tolist() == [3, 0, 0]
    assert result.true_positive[0].tolist() == [2, 0, 0]


def test_absent_class_is_left_out_of_the_mean():
    target = torch.tensor([[0, 1]])
    thresholds = torch.tensor([0.5])
    maps = torch.tensor([[[0.1, 0.9]]])
    histogram = sweep_histogram(maps, torch.tensor([0]), target, thresholds,
                                2)
    result = threshold_sweep(histogram, thresholds)
    assert result.iou[0, 2].isnan()
    assert result.mean_iou([0, 1, 2])[0] == 1


def test_parity_with_published_evaluation(test_data):
    stored = read(test_data('parity', 'voc_eval.npz'))
    count, classes = stored['class_iou'].shape
    thresholds = torch.arange(count, dtype=torch.double) / 100
    thresholds = thresholds.float()
    total = 0
    for i in range(int(stored['n_images'])):
        maps, keys, target = (stored[f'img{i}/{name}']
                              for name in ('cams', 'keys', 'gt'))
        total = total + sweep_histogram(
            *map(torch.from_numpy, (maps, keys, target)), thresholds,
            classes - 1)
        mask = map_to_mask(maps, keys, float(stored['best_threshold']))
        assert np.array_equal(mask, stored[f'img{i}/pred_best'])
    result = threshold_sweep(total, thresholds)
    iou = 100 * result.iou
    for ours, name in ((iou, 'class_iou'),
                       (100 * result.false_positive_rate, 'fp_curve'),
                       (100 * result.false_negative_rate, 'fn_curve')):
        ours = ours.nan_to_num(0)
        np.testing.assert_allclose(
            ours if name == 'class_iou' else ours.mean(1), stored[name],
            atol=1e-6)
    # The published mean counts a class that is nowhere as 0.
    curve = iou.nan_to_num(0).mean(1).numpy()
    np.testing.assert_allclose(curve, stored['miou_curve'], atol=1e-6)
    assert curve.argmax() == stored['best_index']
    # Its command line stops at the first threshold that is no better.
    stop = next((i for i in range(count)
                 if curve[i] <= max(curve[:i], default=0)), count - 1)
    np.testing.assert_allclose(curve[:stop + 1], stored['cli_curve'],
                               atol=1e-6)
