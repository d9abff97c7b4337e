"""PxAP and pIoU."""
import os.path as osp

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from shapes import SHAPES_LOCALIZER, write_config

from mmwsss.apis import evaluate_pseudo_labels, load_config, train
from mmwsss.evaluation import ScorerMetric, localization_histogram
from mmwsss.files.maps import write_map
from mmwsss.files.masks import write_mask
from mmwsss.ops import pixel_histogram, pixel_scores, pixel_thresholds
from mmwsss.problems import DataError

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
    with pytest.raises(DataError, match='PxAP is a score of maps'):
        evaluate_pseudo_labels(masks_dir, masks_dir, ('red', 'blue'),
                               pxap=True)
    for i, (_, _, mask) in enumerate(samples):
        write_mask(osp.join(masks_dir, f'{i}.png'), 255 * (mask > 0),
                   [[0, 0, 0]])
    with pytest.raises(DataError, match='no true mask has a pixel'):
        evaluate_pseudo_labels(maps_dir, masks_dir, ('red', 'blue'),
                               pxap=True)


def test_in_the_runners_validation(shapes, tmp_path):
    config = write_config(tmp_path / 'config.py', SHAPES_LOCALIZER + '''
val_dataloader.update(dataset=dict(
    pipeline=[dict(type='LoadPhoto'),
              dict(type='mmseg.LoadAnnotations', imdecode_backend='pillow'),
              dict(type='PackImageLevelInputs')], **dataset))
val_evaluator = [
    dict(type='MultiLabelMAP'),
    dict(type='ScorerMetric', scorer=dict(type='PixelLocalization')),
    dict(type='ScorerMetric', scorer=dict(type='ThresholdSweep'),
         prefix='sweep')]
val_cfg = dict(type='LocalizeValLoop')
''', shapes)
    runner = train(load_config(config, work_dir=str(tmp_path / 'run')))
    scores = runner.val_loop.run()
    assert 0 < scores['localization/PxAP'] <= 100
    assert 0 < scores['localization/pIoU'] <= 100
    assert 'multi-label/mAP' in scores
    assert 0 <= scores['sweep/best_threshold'] < 1
    assert 0 < scores['sweep/best_mIoU'] <= 100
