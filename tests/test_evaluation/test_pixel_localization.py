"""PxAP and pIoU of maps against masks."""
import os.path as osp

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmwsss.apis import evaluate_pseudo_labels
from mmwsss.evaluation import ScorerMetric, localization_histogram
from mmwsss.files.maps import write_map
from mmwsss.files.masks import write_mask
from mmwsss.ops import pixel_scores, pixel_thresholds
from mmwsss.problems import DataError

THRESHOLDS = pixel_thresholds()


def test_each_map_is_scored_against_its_class():
    target = torch.zeros(224, 224)
    target[:100], target[100:150], target[150:160] = 3, 5, 255
    maps = torch.stack([target == 3, target == 5]).float()
    histogram = localization_histogram(maps, [2, 4], target)
    assert histogram.sum() == 2 * (224 - 10) * 224
    assert pixel_scores(histogram, THRESHOLDS).average_precision == 1
    swapped = localization_histogram(maps, [4, 2], target)
    assert pixel_scores(swapped, THRESHOLDS).average_precision < 0.5
    ignored = localization_histogram(maps, [2, 4], torch.full_like(target,
                                                                   255))
    assert ignored.sum() == 0
    assert localization_histogram(maps[:0], [], target).sum() == 0


def test_maps_of_any_range_and_size():
    target = torch.zeros(300, 500)
    target[:150, :200] = 1
    small = torch.zeros(1, 30, 50)
    small[:, :15, :20] = 1
    for maps in (small, 0.2 + 0.1 * small):
        result = pixel_scores(localization_histogram(maps, [0], target),
                              THRESHOLDS)
        assert result.average_precision > 0.99


def make_folders(tmp_path, count=3):
    """Random maps of one class an image, and masks."""
    rng = np.random.default_rng(0)
    samples = []
    for i in range(count):
        mask = np.zeros((40, 60), np.uint8)
        mask[5:25, 10:10 + 10 * (i + 1)] = 1 + i % 2
        mask[30:, :20] = 255
        maps = np.clip(0.5 * (mask == 1 + i % 2) + 0.5 * rng.random(
            mask.shape), 0, 1)[None].astype(np.float32)
        write_map(str(tmp_path / 'maps' / f'{i}.npz'), maps, [i % 2],
                  dtype='float16')
        write_mask(str(tmp_path / 'masks' / f'{i}.png'), mask,
                   [[0, 0, 0], [9, 9, 9], [90, 90, 90]])
        samples.append((maps, i % 2, mask))
    return str(tmp_path / 'maps'), str(tmp_path / 'masks'), samples


def test_files_and_metric_agree(tmp_path):
    maps_dir, masks_dir, samples = make_folders(tmp_path)
    report = evaluate_pseudo_labels(maps_dir, masks_dir, ('red', 'blue'),
                                    pxap=True, out_dir=str(tmp_path / 'o'))
    metric = ScorerMetric(dict(type='PixelLocalization'))
    metric.dataset_meta = dict(classes=('background', 'red', 'blue'))
    for maps, label, mask in samples:
        sample = SegDataSample(
            pred_maps=PixelData(data=torch.from_numpy(maps),
                                metainfo=dict(labels=[label])),
            gt_sem_seg=PixelData(data=torch.from_numpy(mask)[None]))
        metric.process({}, [sample.to_dict()])
    scores = metric.evaluate(3)
    assert scores['localization/PxAP'] == pytest.approx(report['PxAP'],
                                                        abs=0.05)
    assert scores['localization/pIoU'] == pytest.approx(report['pIoU'],
                                                        abs=0.05)
    assert 60 < report['PxAP'] < 100 and 0 < report['pIoU_threshold'] < 1
    assert 'PxAP' not in evaluate_pseudo_labels(maps_dir, masks_dir,
                                                ('red', 'blue'))


def test_what_has_no_pxap(tmp_path):
    maps_dir, masks_dir, samples = make_folders(tmp_path)
    with pytest.raises(DataError, match='PixelLocalization is a score of'):
        evaluate_pseudo_labels(masks_dir, masks_dir, ('red', 'blue'),
                               pxap=True)
    for i, (_, _, mask) in enumerate(samples):
        write_mask(osp.join(masks_dir, f'{i}.png'), 255 * (mask > 0),
                   [[0, 0, 0]])
    with pytest.raises(DataError, match='no true mask has a pixel'):
        evaluate_pseudo_labels(maps_dir, masks_dir, ('red', 'blue'),
                               pxap=True)
