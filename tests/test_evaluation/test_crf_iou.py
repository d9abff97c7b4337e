"""IoU of masks after a dense CRF, in this and in other processes."""
import os.path as osp

import numpy as np
import pytest
import torch
from PIL import Image
from shapes import CLASSES, dataset_config
from torch import nn

from mmwsss.evaluation import ClassSubsetIoU, CRFIoU
from mmwsss.files.masks import read_mask
from mmwsss.ops import dense_crf, unary_from_probabilities
from mmwsss.registry import DATASETS


def predictions(shapes, noise=1.5):
    """Samples with noisy logits of the shapes' true masks."""
    dataset = DATASETS.build(dataset_config(shapes))
    torch.manual_seed(0)
    samples = []
    for i in range(len(dataset)):
        info = dataset.get_data_info(i)
        truth = torch.from_numpy(read_mask(info['seg_map_path'])).long()
        logits = nn.functional.one_hot(truth, 3).permute(2, 0, 1).float()
        logits = logits + noise * torch.randn_like(logits)
        samples.append(dict(
            img_path=info['img_path'], gt_sem_seg=dict(data=truth[None]),
            seg_logits=dict(data=logits),
            pred_sem_seg=dict(data=logits.argmax(0, keepdim=True))))
    return samples


def score(metric, samples):
    """The metric's scores over samples."""
    metric.dataset_meta = CLASSES
    for sample in samples:
        metric.process({}, [sample])
    return metric.evaluate(len(samples))


CRF = dict(gaussian_sxy=1, gaussian_compat=3, bilateral_sxy=20,
           bilateral_srgb=20, bilateral_compat=4)


@pytest.mark.parametrize('workers', [0, 1])
def test_crf_mends_noise_in_this_and_another_process(shapes, tmp_path,
                                                     workers):
    samples = predictions(shapes)
    plain = score(ClassSubsetIoU(iou_metrics=['mIoU']), samples)
    out = str(tmp_path / 'masks')
    metric = CRFIoU(crf=CRF, iou_metrics=['mIoU'], num_workers=workers,
                    min_score=0, output_dir=out, prefix='crf')
    refined = score(metric, samples)
    assert refined['crf/mIoU'] > plain['mIoU'] + 20
    # A metric serves more than once; processes that have ended start again.
    assert score(metric, samples) == refined
    assert set(metric.class_iou) == set(CLASSES['classes'])
    # The masks belong to their photos, and are the CRF's.
    sample = samples[3]
    scores = sample['seg_logits']['data'].softmax(0)
    image = torch.from_numpy(np.asarray(Image.open(
        sample['img_path']).convert('RGB')).copy()).permute(2, 0, 1)
    want = dense_crf(image, unary_from_probabilities(scores),
                     **CRF).argmax(0)
    got = read_mask(osp.join(out, 'img3.png'))
    assert np.array_equal(got, want.numpy())


def test_improbable_classes_change_nothing(shapes):
    samples = predictions(shapes)[:2]
    for sample in samples:  # a class that is nowhere likely
        sample['seg_logits']['data'][2] = -8
    scores = [score(CRFIoU(crf=CRF, iou_metrics=['mIoU'], num_workers=0,
                           min_score=least), samples)['mIoU']
              for least in (0, 0.01)]
    assert scores[0] == scores[1]


def test_a_single_likely_class_needs_no_crf(shapes):
    samples = predictions(shapes, noise=0)[:1]
    samples[0]['seg_logits']['data'][0] = 50
    metric = CRFIoU(crf=CRF, iou_metrics=['mIoU'], num_workers=0)
    metric.dataset_meta = CLASSES
    metric.process({}, samples)
    assert metric.results[0][1][0] == 48 * 64  # all background


def test_unknown_crf_backend():
    with pytest.raises(ValueError, match="backend='c'"):
        CRFIoU(crf=dict(backend='c'), iou_metrics=['mIoU'])
