"""Pooling over views, CRF after the test, submissions, CAM of a CNN."""
import json
import os
import os.path as osp
import tarfile
import zipfile

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from PIL import Image
from shapes import CLASSES, dataset_config, write_config
from torch import nn

from mmwsss.apis import load_config, train, write_submission
from mmwsss.apis import test as run_test
from mmwsss.evaluation import ClassSubsetIoU, CRFIoU
from mmwsss.files.masks import read_mask
from mmwsss.models.localizers import CAMLocalizer
from mmwsss.models.segmentors import WSSSegTTA
from mmwsss.ops import dense_crf, unary_from_probabilities
from mmwsss.problems import ConfigError
from mmwsss.registry import DATASETS, MODELS


class Segmentor(nn.Module):
    """Stands in for the network that WSSSegTTA wraps."""

    def test_step(self, data):
        """Never called here."""


def view(*probabilities):
    """A prediction of one row of pixels with these foreground scores."""
    scores = torch.tensor(probabilities)
    logits = torch.stack([1 - scores, scores]).log()[:, None]
    sample = SegDataSample()
    sample.set_data(dict(seg_logits=PixelData(data=logits)))
    return sample


@pytest.mark.parametrize('pool, foreground', [
    # max: 0.9 against 0.8; 0.4 against 0.7. mean: 0.55; 0.35.
    ('max', ([0.9, 0.4], [1, 0])),
    ('mean', ([0.55, 0.35], [1, 0])),
])
def test_views_are_pooled(pool, foreground):
    tta = WSSSegTTA(pool=pool, module=Segmentor())
    [merged] = tta.merge_preds([[view(0.2, 0.3), view(0.9, 0.4)]])
    scores = merged.seg_logits.data.exp()
    assert torch.allclose(scores[1, 0], torch.tensor(foreground[0]))
    assert merged.pred_sem_seg.data[0, 0].tolist() == foreground[1]


def test_max_and_mean_can_disagree():
    # 0.9 once for background; twice 0.7 for the object.
    views = [view(0.1, 0.5), view(0.7, 0.5), view(0.7, 0.5)]
    masks = [WSSSegTTA(pool=pool, module=Segmentor()).merge_preds(
        [views])[0].pred_sem_seg.data[0, 0, 0].item()
        for pool in ('max', 'mean')]
    assert masks == [0, 1]


def test_unknown_pool():
    with pytest.raises(ValueError, match="use 'max' or 'mean'"):
        WSSSegTTA(pool='sum', module=Segmentor())


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


def test_a_metric_with_processes_serves_more_than_once(shapes):
    samples = predictions(shapes)[:2]
    metric = CRFIoU(crf=CRF, iou_metrics=['mIoU'], num_workers=1)
    assert score(metric, samples) == score(metric, samples)


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


@pytest.fixture
def segmentor(shapes, segmentor_config, tmp_path):
    """A trained segmentor: config and checkpoint."""
    (tmp_path / 'shapes' / 'lists' / 'test.txt').write_text('img1\nimg2\n')
    cfg = load_config(
        segmentor_config,
        {'pseudo_masks': osp.join(shapes, 'SegmentationClassAug'),
         'submission.ann_file': 'lists/test.txt'},
        str(tmp_path / 'run'))
    train(cfg)
    return cfg, osp.join(cfg.work_dir, 'iter_4.pth')


def test_plain_and_crf_scores_in_one_run(segmentor, tmp_path):
    cfg, checkpoint = segmentor
    out = str(tmp_path / 'masks')
    metrics = run_test(cfg, checkpoint, tta=True, out_dir=out, crf=True)
    assert {'mIoU', 'crf/mIoU'} <= set(metrics)
    for name, metric in (('test_scores', 'mIoU'),
                         ('test_scores_crf', 'crf/mIoU')):
        with open(osp.join(cfg.work_dir, f'{name}.json')) as file:
            report = json.load(file)
        assert report['tta'] is True and report['checkpoint'] == checkpoint
        assert set(report['IoU']) == {'background', 'red', 'blue'}
        assert report['mIoU'] == pytest.approx(metrics[metric], abs=0.01)
        assert report['metrics'][metric] == metrics[metric]
    mask = Image.open(osp.join(out, 'img0.png'))
    assert mask.mode == 'P' and mask.getpalette()[3:6] == [255, 0, 0]
    assert len(os.listdir(out)) == 8
    Image.open(osp.join(cfg.work_dir, 'overlays.png')).verify()


@pytest.mark.parametrize('name', ['voc.zip', 'voc.tgz'])
def test_submission_of_photos_without_masks(segmentor, shapes, tmp_path,
                                            name):
    cfg, checkpoint = segmentor
    for image in ('img1', 'img2'):
        os.remove(osp.join(shapes, 'SegmentationClassAug', f'{image}.png'))
    archive = str(tmp_path / name)
    assert write_submission(cfg, checkpoint, archive, tta=True) == 2
    opened = (zipfile.ZipFile(archive).namelist() if name.endswith('zip')
              else tarfile.open(archive).getnames())
    assert sorted(opened) == [
        f'results/VOC2012/Segmentation/comp5_test_cls/{image}.png'
        for image in ('img1', 'img2')]


def test_wrong_requests_end_before_any_work(segmentor):
    cfg, checkpoint = segmentor
    with pytest.raises(ConfigError, match='voc.rar: end it with'):
        write_submission(cfg, checkpoint, 'voc.rar')
    for key, call, message in (
            ('test_crf', lambda: run_test(cfg, checkpoint, crf=True),
             'no test_crf'),
            ('submission', lambda: write_submission(cfg, checkpoint, 'a.zip'),
             'no submission')):
        cfg.pop(key)
        with pytest.raises(ConfigError, match=message):
            call()
    cfg.submission = dict(ann_file='lists/none.txt', folder='x')
    with pytest.raises(ConfigError, match='no list of photos .*none.txt'):
        write_submission(cfg, checkpoint, 'a.zip')
    cfg.test_crf = dict()
    cfg.tta_model = dict(type='mmseg.SegTTAModel')
    with pytest.raises(ConfigError, match='WSSSegTTA'):
        run_test(cfg, checkpoint, tta=True, crf=True)


@MODELS.register_module()
class Brightness(nn.Module):
    """A backbone whose last map is the photo's red and blue."""

    tap_channels, tap_strides = (2, ), (1, )

    def forward(self, images):
        """(B, 2, H, W)."""
        return [images[:, [0, 2]]]


def cam_localizer(**kwargs):
    """CAM on the photo's colours."""
    model = CAMLocalizer(
        dict(type='Brightness'),
        dict(type='mmseg.SegDataPreProcessor', bgr_to_rgb=True), 2, **kwargs)
    model.classifier.weight.data = torch.tensor(
        [[1., -1.], [-1., 1.]])[..., None, None]
    return model.eval()


def test_cam_is_the_classifier_without_pooling():
    model = cam_localizer()
    images = torch.randn(2, 3, 8, 10)
    maps = model.classifier(model.backbone(images)[-1])
    assert torch.allclose(model.classify(images), maps.mean((2, 3)),
                          atol=1e-6)
    assert torch.equal(model.class_maps(images), maps.relu())


def test_cam_finds_the_coloured_square(shapes):
    dataset = DATASETS.build(dataset_config(shapes))
    model = cam_localizer(test_cfg=dict(scales=(1.0, 0.5)))
    for i in range(4):
        data = dataset[i]
        batch = model.data_preprocessor(
            dict(inputs=[data['inputs']], data_samples=[data['data_samples']]))
        [maps] = model.localize(batch['inputs'], batch['data_samples'])
        truth = read_mask(dataset.get_data_info(i)['seg_map_path']) > 0
        found = maps[0].numpy() > 0.5
        assert (found & truth).sum() / (found | truth).sum() > 0.8


def test_cam_losses_teach_and_dropout_only_trains(shapes):
    model = cam_localizer(dropout=0.5)
    data = DATASETS.build(dataset_config(shapes))[0]
    batch = model.data_preprocessor(
        dict(inputs=[data['inputs']], data_samples=[data['data_samples']]))
    assert torch.equal(model.classify(batch['inputs']),
                       model.classify(batch['inputs']))
    loss = model.loss(batch['inputs'], batch['data_samples'])['loss_cls']
    loss.backward()
    assert model.classifier.weight.grad.abs().sum() > 0


def test_trains_and_localizes_by_config(shapes, tmp_path):
    from shapes import train_losses
    path = write_config(tmp_path / 'cam.py', CAM_CONFIG, shapes)
    losses = train_losses(path, tmp_path / 'run')
    assert losses[-1]['loss_cls'] < losses[0]['loss_cls']


CAM_CONFIG = '''
_base_ = '{root}/configs/r38d_cls_voc.py'
data_root = {data_root!r}
pretrained = None
classes = dict(classes=('background', 'red', 'blue'),
               palette=[[0, 0, 0], [255, 0, 0], [0, 0, 255]])
model = dict(backbone=dict(_delete_=True, type='Brightness'), num_classes=2,
             data_preprocessor=dict(size=(48, 48)), dropout=0.)
dataset = dict(_delete_=True, type='ImageLevelDataset', data_root=data_root,
               metainfo=classes, ann_file='lists/train.txt',
               data_prefix=dict(img_path='JPEGImages'),
               label_source=dict(type='TableLabels', file='labels.csv'))
train_dataloader = dict(
    batch_size=4, num_workers=0, persistent_workers=False,
    dataset=dict(pipeline=[
        dict(type='LoadPhoto'),
        dict(type='mmseg.RandomCrop', crop_size=(48, 48)),
        dict(type='PackImageLevelInputs')], **dataset))
val_dataloader = dict(
    num_workers=0, persistent_workers=False,
    dataset=dict(test_mode=True, pipeline={{{{_base_.localize_pipeline}}}},
                 **dataset))
max_epochs = 4
train_cfg = dict(max_epochs=max_epochs)
'''
