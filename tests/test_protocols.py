"""The papers' numbers, read from what the Runner builds from each config."""
import os
import os.path as osp
from inspect import signature

import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from PIL import Image
from shapes import ROOT

from mmwsss.apis import config_texts, load_config
from mmwsss.datasets import VOC12ClsDataset
from mmwsss.files.maps import write_map
from mmwsss.files.masks import write_mask
from mmwsss.models import TextGradCAM, TextSurgery
from mmwsss.models.clip import CLIP_MEAN, CLIP_STD
from mmwsss.ops.cam_labels import competing_labels
from mmwsss.ops.class_aware_affinity import sinkhorn, transition_matrix
from mmwsss.ops.feature_surgery import attribute_prototypes
from mmwsss.preparation.attributes import adopt_attributes
from mmwsss.registry import DATASETS, MODELS, forget_pretrained

CLASSES = VOC12ClsDataset.METAINFO['classes']


@pytest.fixture(scope='module')
def voc(tmp_path_factory):
    """A folder in VOC's layout: 64 links to one photo of a person."""
    root = tmp_path_factory.mktemp('VOC2012')
    for folder in ('JPEGImages', 'SegmentationClassAug', 'maps',
                   'ImageSets/Segmentation'):
        os.makedirs(root / folder)
    mask = np.zeros((40, 50), np.uint8)
    mask[10:30, 10:40] = 15
    names = [f'2007_{i:06}' for i in range(64)]
    Image.new('RGB', (50, 40)).save(root / 'JPEGImages' / f'{names[0]}.jpg')
    write_mask(str(root / 'SegmentationClassAug' / f'{names[0]}.png'), mask,
               VOC12ClsDataset.METAINFO['palette'])
    write_map(str(root / 'maps' / f'{names[0]}.npz'),
              (mask[None] > 0).astype(np.float32), [14], None)
    for name in names[1:]:
        for folder, ending in (('JPEGImages', 'jpg'), ('maps', 'npz'),
                               ('SegmentationClassAug', 'png')):
            os.link(root / folder / f'{names[0]}.{ending}',
                    root / folder / f'{name}.{ending}')
    for name in ('train_aug', 'val', 'test'):
        (root / 'ImageSets' / 'Segmentation' / f'{name}.txt').write_text(
            '\n'.join(names))
    labels = np.zeros(20, np.float32)
    labels[14] = 1
    np.save(root / 'cls_labels.npy', dict.fromkeys(names, labels))
    np.savez(root / 'text.npz', names=CLASSES[1:], model='test', prompt='{}',
             embeddings=np.random.default_rng(0).normal(size=(20, 32)))
    return str(root)


def read(name, *args):
    return load_config(osp.join(ROOT, 'configs', name), *args)


class Built:
    """What a Runner builds for training: model, optimizer, loader, rates."""

    def __init__(self, name, voc, work_dir):
        self.build(self.load(name, voc, work_dir))

    def load(self, name, voc, work_dir):
        """The config, with files that are there."""
        options = {'data_root': voc}
        known = read(name)
        for key, value in (('pseudo_masks', voc + '/SegmentationClassAug'),
                           ('maps', voc + '/maps'),
                           ('text_embeddings', voc + '/text.npz')):
            if key in known:
                options[key] = value
        return read(name, options, str(work_dir))

    def build(self, cfg):
        forget_pretrained(cfg.model)
        for loader in ('train', 'val', 'test'):
            part = cfg.get(f'{loader}_dataloader')
            if part is not None:
                part.update(num_workers=0, persistent_workers=False)
        self.cfg = cfg
        self.runner = Runner.from_cfg(cfg)
        self.loop = self.runner.build_train_loop(cfg.train_cfg)
        self.runner._train_loop = self.loop
        self.model = self.runner.model
        self.optim = self.runner.build_optim_wrapper(cfg.optim_wrapper)
        self.optimizer = self.optim.optimizer
        self.runner.optim_wrapper = self.optim
        self.schedulers = self.runner.build_param_scheduler(
            cfg.param_scheduler)

    def transform(self, name):
        """The training transform of this class name."""
        [found] = [t for t in self.loop.dataloader.dataset.pipeline.transforms
                   if type(t).__name__ == name]
        return found

    def rates(self):
        """Learning rate -> number of trained values that have it."""
        found = {}
        for group in self.optimizer.param_groups:
            rate = round(group['initial_lr'], 10)
            found[rate] = found.get(rate, 0) + sum(
                p.numel() for p in group['params'] if p.requires_grad)
        return {rate: count for rate, count in found.items() if count}

    def hook(self, name):
        """The registered hook of this class name."""
        [found] = [h for h in self.runner.hooks if type(h).__name__ == name]
        return found


def count(module):
    """Number of trained values of a module."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def test_mmct(voc, tmp_path):
    built = Built('mmct_voc.py', voc, tmp_path)
    model = built.model
    assert len(model.backbone.layers) == 12  # ViT-B/16
    assert model.backbone.embed_dims == 768 and model.patch_size == 16
    assert model.patch_head.decay == 0.996
    options = model.test_cfg
    assert (options['attention_layers'], options['affinity_layers']) == (6, 12)
    assert options['fusion'] == 'fused'
    assert 'dino_vitbase16' in load_config(
        osp.join(ROOT, 'configs', 'mmct_voc.py')).model.backbone.pretrained
    assert built.cfg.default_hooks.checkpoint.save_best == (
        'multi-label/mAP')
    # ours: docs/mmct.md
    assert built.loop.max_epochs == 60
    assert built.loop.dataloader.batch_size == 16
    assert isinstance(built.optimizer, torch.optim.AdamW)
    assert set(built.rates()) == {1e-4}


def test_toco(voc, tmp_path):
    built = Built('toco_voc.py', voc, tmp_path)
    model = built.model
    assert len(model.backbone.layers) == 12
    assert model.backbone.embed_dims == 768
    assert tuple(model.backbone.out_indices) == (9, 11)  # third-last, last
    assert model.pooling_decay == 0
    assert (model.low, model.high) == (0.25, 0.7)
    assert (model.num_crops, model.crop_size) == (8, 96)
    assert model.crop_contrast.temperature == 0.5
    assert model.patch_contrast.similarity is torch.abs
    assert model.teacher_momentum == 0.9
    assert model.loss_weights == dict(cls=1, aux=1, ptc=0.2, ctc=0.5, seg=0.1,
                                      energy=0.05)
    assert tuple(model.scales) == (1.0, 0.5, 1.5)
    assert model.decode_head.first.dilation == (5, 5)
    assert model.decode_head.first.out_channels == 512
    energy = built.cfg.model.energy_loss
    assert (energy.sigma_rgb, energy.sigma_xy, energy.scale) == (15, 100, 0.5)
    assert isinstance(built.optimizer, torch.optim.AdamW)
    assert {group['weight_decay'] for group in
            built.optimizer.param_groups} == {0, 1e-2}
    rates = built.rates()
    assert set(rates) == {6e-5, 6e-4}  # heads ten times
    assert rates[6e-5] == count(model.backbone)
    assert built.loop.max_iters == 20000
    assert built.loop.dataloader.batch_size == 4
    assert built.transform('RandomCrop').crop_size == (448, 448)
    assert built.transform('RandomResize').ratio_range == (0.5, 2.0)
    [schedule] = built.schedulers
    assert (schedule.warmup_iters, schedule.power) == (1500, 0.9)
    assert schedule.warmup_ratio == 1e-6
    cfg = built.cfg
    assert cfg.tta_model.pool == 'max'
    scales, flips, *_ = cfg.tta_pipeline[1].transforms
    assert [step.scale_factor for step in scales] == [1.0, 1.25, 1.5]
    assert [step.prob for step in flips] == [0, 1]
    assert cfg.test_crf == dict(
        iterations=10, gaussian_sxy=1, gaussian_compat=1, bilateral_sxy=121,
        bilateral_srgb=5, bilateral_compat=4)
    late = built.hook('LateLossesHook')
    assert late.after == 2000
    assert late.weights == dict(seg=0.1, energy=0.05)


def test_baseline_of_toco(voc, tmp_path):
    model = Built('toco_baseline_voc.py', voc, tmp_path).model
    assert model.loss_weights == dict(cls=1, aux=1, seg=0.1, energy=0.05)
    # Nothing that only the contrasts train.
    assert {name.split('.')[0] for name, _ in model.named_parameters()} == {
        'backbone', 'classifier', 'aux_classifier', 'decode_head'}


def test_afa(voc, tmp_path):
    built = Built('afa_voc.py', voc, tmp_path)
    model = built.model
    assert (model.low, model.high) == (0.35, 0.55)
    head = model.attention_affinity
    assert (head.radius, head.power) == (8, 2)
    assert head.projection.in_channels == 2 * 12  # two layers, 12 heads
    assert model.test_cfg['background'] == 0.45
    assert model.loss_weights == dict(cls=1, aux=1, seg=0.1, energy=0.05,
                                      affinity=0.1)
    late = built.hook('LateLossesHook')
    assert late.weights == dict(seg=0.1, energy=0.01, affinity=0.1)
    # It is used from iteration 6000 on.
    assert late.after + model.affinity_warmup == 6000


def test_irn_and_psa(voc, tmp_path):
    irn = Built('irn_voc.py', voc, tmp_path / 'irn')
    assert irn.model.loss_module.radius == 10
    assert irn.model.test_cfg == dict(radius=5, beta=10, exp_times=8)
    assert irn.loop.max_epochs == 3
    psa = Built('psa_voc.py', voc, tmp_path / 'psa')
    assert psa.model.test_cfg == dict(alpha=16, radius=5, beta=8, exp_times=8)
    assert psa.loop.max_epochs == 8


def test_classifier_on_resnet38(voc, tmp_path):
    built = Built('r38d_cls_voc.py', voc, tmp_path)
    assert built.loop.max_epochs == 15  # MMCT supplement A
    assert built.loop.dataloader.batch_size == 16
    assert built.transform('RandomCrop').crop_size == (448, 448)
    assert isinstance(built.optimizer, torch.optim.SGD)
    assert set(built.rates()) == {0.1, 1.0}
    assert built.rates()[1.0] == 20 * 4096
    assert {g['weight_decay'] for g in built.optimizer.param_groups} == {5e-4}
    assert built.model.dropout.p == 0.5


def test_deeplab_v1_on_resnet38(voc, tmp_path):
    built = Built('deeplabv1_r38d_voc.py', voc, tmp_path)
    head = built.model.decode_head
    assert head.conv.dilation == head.conv_seg.dilation == (12, 12)
    assert head.conv.weight.shape[:2] == (512, 4096)
    assert head.conv_seg.weight.shape[:2] == (21, 512)
    assert built.model.backbone.tap_strides[-1] == 8
    # initialised from the classifier
    assert 'r38d_cls_voc' in load_config(osp.join(
        ROOT, 'configs', 'deeplabv1_r38d_voc.py')).model.backbone.pretrained
    assert built.loop.max_epochs == 30
    assert built.loop.dataloader.batch_size == 4
    assert built.transform('RandomResize').ratio_range == (0.7, 1.3)
    assert built.transform('RandomCrop').crop_size == (321, 321)
    assert built.transform('RandomFlip').prob == 0.5
    assert isinstance(built.optimizer, torch.optim.SGD)
    rates = built.rates()
    assert set(rates) == {7e-4, 7e-3} and rates[7e-3] == count(head)
    for group in built.optimizer.param_groups:
        assert group['momentum'] == group['weight_decay'] == 0
    [schedule] = built.schedulers
    assert schedule.power == 0.9
    steps = 30 * len(built.loop.dataloader)
    assert (schedule.begin, schedule.end) == (0, steps)
    cfg = built.cfg
    assert cfg.tta_model == dict(type='WSSSegTTA', pool='max')
    scales = [step.scale_factor for step in
              cfg.tta_pipeline[1].transforms[0]]
    assert scales == [0.75, 1.0, 1.5]
    assert cfg.test_crf == dict(
        iterations=10, gaussian_sxy=4, gaussian_compat=3, bilateral_sxy=83,
        bilateral_srgb=5, bilateral_compat=3)
    assert cfg.submission.folder == (
        'results/VOC2012/Segmentation/comp5_test_cls')


def test_deeplab_v2_on_resnet101(voc, tmp_path):
    built = Built('deeplabv2_r101_voc.py', voc, tmp_path)
    assert [conv.dilation[0] for conv in
            built.model.decode_head.conv_seg] == [6, 12, 18, 24]
    with torch.no_grad():
        features = built.model.backbone(torch.zeros(1, 3, 65, 65))
    assert features[4].shape == (1, 2048, 9, 9)  # stride 8
    assert sum(len(getattr(built.model.backbone, name)) for name in
               built.model.backbone.res_layers) == 33  # ResNet101
    assert built.loop.max_iters == 20000
    assert built.loop.dataloader.batch_size == 10
    rates = built.rates()
    assert set(rates) == {2.5e-4, 2.5e-3}
    assert rates[2.5e-3] == count(built.model.decode_head)
    assert built.transform('RandomCrop').crop_size == (321, 321)
    for group in built.optimizer.param_groups:
        assert (group['momentum'], group['weight_decay']) == (0.9, 5e-4)
    [schedule] = built.schedulers
    assert (schedule.power, schedule.end) == (0.9, 20000)
    assert built.cfg.test_crf == dict(
        iterations=10, gaussian_sxy=1, gaussian_compat=3, bilateral_sxy=67,
        bilateral_srgb=3, bilateral_compat=4)


def test_cam_on_resnet50(voc, tmp_path):
    built = Built('cam_r50_voc.py', voc, tmp_path)
    backbone = built.model.backbone
    assert backbone.tap_strides[-1] == 16
    assert not count(backbone.layer2) and count(backbone.layer3)
    assert built.loop.max_epochs == 5
    assert built.loop.dataloader.batch_size == 16
    assert built.transform('RandomCrop').crop_size == (512, 512)
    assert set(built.rates()) == {0.1, 1.0}
    assert built.rates()[1.0] == 20 * 2048
    assert set(built.model.scales) == {0.5, 1.0, 1.5, 2.0}


def with_texts(name, voc, work_dir):
    """The config of a method on CLIP, with a file of random embeddings."""
    cfg = read(name, {'data_root': voc}, str(work_dir))
    classes = DATASETS.get(cfg.model.class_evidence.classes_of).METAINFO
    names = [*classes['classes'][1:], *cfg.background_words]
    path = str(work_dir / 'text.npz')
    np.savez(path, names=names, model='test', prompt='{}',
             embeddings=np.random.default_rng(0).normal(
                 size=(len(names), 512)))
    cfg.model.class_evidence.text_embeddings = path
    if 'coco' in name:  # VOC's photos; the transforms are COCO's
        cfg.train_dataloader.dataset = dict(
            read('weclip_voc.py', {'data_root': voc}
                 ).train_dataloader.dataset,
            pipeline=cfg.train_dataloader.dataset.pipeline)
    return cfg


def check_clip(model):
    """ViT-B/16 of 224 px, whose common space has 512 dimensions."""
    vit = model.backbone
    assert (len(vit.layers), vit.embed_dims, vit.out_channels) == (12, 768,
                                                                   512)
    assert vit.layers[0].attn.num_heads == 12
    assert vit.patch_embed.projection.kernel_size == (16, 16)
    assert vit.interpolate_mode == 'bilinear'
    assert type(vit.layers[0].ffn.layers[0][1]).__name__ == (
        'QuickGELU')


@pytest.mark.parametrize('data, threshold', [('voc', 0.4), ('coco', 0.7)])
def test_clip_es(voc, tmp_path, data, threshold):
    cfg = with_texts(f'clip_es_{data}.py', voc, tmp_path)
    assert 'clip-vit-base-patch16' in cfg.model.backbone.pretrained
    forget_pretrained(cfg.model)
    model = MODELS.build(cfg.model)
    check_clip(model)
    assert model.backbone.pos_embed.shape[1] == 1 + 14 * 14
    assert isinstance(model.class_evidence, TextGradCAM)
    assert model.class_evidence.scale == 100
    assert len(model.class_evidence.text) == dict(voc=20 + 25,
                                                  coco=80 + 23)[data]
    spread = model.spread
    assert (spread.threshold, spread.layers) == (threshold, 8)
    assert not spread.cover_edge
    assert tuple(model.scales) == (1.0, ) and not model.test_cfg['flip']
    assert model.patch_size == 16
    norm = model.data_preprocessor
    for got, want in ((norm.mean, CLIP_MEAN), (norm.std, CLIP_STD)):
        np.testing.assert_allclose(got.flatten(), 255 * np.array(want),
                                   rtol=1e-6)
    for function, name, value in (
            (sinkhorn, 'rounds', 3), (transition_matrix, 'rounds', 3),
            (transition_matrix, 'squarings', 1)):
        assert signature(function).parameters[name].default == value


class BuiltFrozen(Built):
    """WeCLIP or ExCEL; what both share is checked."""

    def __init__(self, name, voc, work_dir, rate, iterations, warmup, crf):
        super().__init__(name, voc, work_dir)
        model = self.model
        check_clip(model)
        assert not count(model.backbone)
        assert model.fusion.fuse.out_channels == 256
        assert model.fusion.dropout.p == 0.1
        head = model.decode_head
        assert (len(head.layers), head.layers[0].attn.num_heads) == (3, 8)
        assert head.layers[0].embed_dims == 256
        assert model.radius == 8 and model.colour_rounds == 20
        assert model.background_power == 1
        assert signature(competing_labels).parameters['dilations'].default == (
            1, 2, 4, 8, 12, 24)
        assert model.loss_weights == dict(seg=1, affinity=0.1)
        assert tuple(model.scales) == (1.0, ) and not model.test_cfg['flip']
        norm = model.data_preprocessor  # ImageNet's, not CLIP's
        np.testing.assert_allclose(norm.mean.flatten(),
                                   [123.675, 116.28, 103.53])
        np.testing.assert_allclose(norm.std.flatten(),
                                   [58.395, 57.12, 57.375])
        assert isinstance(self.optimizer, torch.optim.AdamW)
        # All that is trained is new: ten times the stated rate.
        assert self.rates() == {rate: count(model)}
        for group in self.optimizer.param_groups:
            assert group['betas'] == (0.9, 0.999) and group['eps'] == 1e-8
            assert group['weight_decay'] == 0.01
        [schedule] = self.schedulers
        assert (schedule.warmup_iters, schedule.power) == (warmup, 1)
        assert schedule.warmup_ratio == 1e-6
        assert self.loop.max_iters == iterations
        assert self.loop.dataloader.batch_size == 4
        assert self.transform('RandomCrop').crop_size == (320, 320)
        resize = self.transform('RandomResize')
        assert resize.ratio_range == (0.5, 2.0)
        side = 640 if 'coco' in name else 500  # of the data set's photos
        assert resize.scale == (side, side)
        assert self.transform('RandomFlip').prob == 0.5
        assert not [t for t in self.loop.dataloader.dataset.pipeline.transforms
                    if 'Photometric' in type(t).__name__]
        assert self.cfg.test_crf == dict(iterations=10, **crf)
        assert self.cfg.tta_model.pool == 'mean'
        _, flips, *_ = self.cfg.tta_pipeline[1].transforms
        assert [step.prob for step in flips] == [0, 1]

    def load(self, name, voc, work_dir):
        return with_texts(name, voc, work_dir)

    def views(self):
        """Sides of the test-time views, and whether shapes are kept."""
        sizes = self.cfg.tta_pipeline[1].transforms[0]
        assert all(step.scale[0] == step.scale[1] for step in sizes)
        [kept] = {step.keep_ratio for step in sizes}
        return {step.scale[0] for step in sizes}, kept


@pytest.mark.parametrize('data, threshold, layers, iterations, after', [
    ('voc', 0.4, 6, 30000, 15000), ('coco', 0.7, 10, 80000, 40000)])
def test_weclip(voc, tmp_path, data, threshold, layers, iterations, after):
    built = BuiltFrozen(
        f'weclip_{data}.py', voc, tmp_path, 2e-3, iterations, 50,
        dict(gaussian_sxy=3, gaussian_compat=3, bilateral_sxy=64,
             bilateral_srgb=5, bilateral_compat=4))
    model = built.model
    assert isinstance(model.class_evidence, TextGradCAM)
    assert model.backbone.pos_embed.shape[1] == 1 + 14 * 14
    assert len(model.fusion.mlps) == 11
    spread = model.spread
    assert (spread.threshold, spread.mean_layers, spread.selected_layers) == (
        threshold, 8, layers)
    # The features as they are.
    assert not model.affinity.normalize and model.affinity.gain == 1
    assert model.refine_after == after
    assert model.calibrate_after is model.predicted_after is None
    # The long side is 512 px, and three quarters of that.
    assert built.views() == ({384, 512}, True)


@pytest.mark.parametrize(
    'data, threshold, iterations, warmup, after, predicted, clusters', [
        ('voc', 0.79, 30000, 50, 14000, 24000, 112),
        ('coco', 0.88, 100000, 200, 30000, None, 224)])
def test_excel(voc, tmp_path, data, threshold, iterations, warmup, after,
               predicted, clusters):
    built = BuiltFrozen(
        f'excel_{data}.py', voc, tmp_path, 1e-3, iterations, warmup,
        dict(gaussian_sxy=1, gaussian_compat=3, bilateral_sxy=67,
             bilateral_srgb=3, bilateral_compat=4))
    model = built.model
    assert isinstance(model.class_evidence, TextSurgery)
    assert model.class_evidence.num_layers == 5
    # The published test also begins from CLIP's own position embeddings.
    assert model.backbone.pos_embed.shape[1] == 1 + 14 * 14
    assert len(model.fusion.mlps) == 12
    spread = model.spread
    assert (spread.threshold, spread.mean_layers, spread.selected_layers) == (
        threshold, 6, 6)
    affinity = model.affinity
    assert affinity.normalize and affinity.gain == 3
    assert model.refine_after == model.calibrate_after == after
    assert model.predicted_after == predicted
    texts = config_texts(built.cfg)
    assert texts['clusters'] == clusters and texts['attributes']
    for function in (adopt_attributes, attribute_prototypes):
        assert signature(function).parameters['drop'].default == 0.1
    # Squares of 0.7, 1.0, 1.2 and 1.5 times 320 px.
    assert built.views() == ({224, 320, 384, 480}, False)
