"""WeCLIP and ExCEL: what is learned, from what, and whole runs of both."""
import glob
import json
import os
import shutil

import pytest
import torch
from clip_nets import (
    DECODER_NAMES,
    CLIPFile,
    shapes_config,
    small_vit,
    write_text,
)
from parity_files import check_loss, close
from shapes import train_losses
from single_stage_nets import PREPROCESSOR, sample

from mmwsss.apis import (
    best_checkpoint,
    generate_pseudo_labels,
    load_config,
    run_pipeline,
    train,
)
from mmwsss.apis import test as run_test
from mmwsss.files.maps import read_map
from mmwsss.models import FrozenCLIPSegmentor
from mmwsss.models.key_names import rename
from mmwsss.models.segmentors.frozen_clip import FusedFeatures
from mmwsss.models.segmentors.single_stage import TrainingBatch
from mmwsss.ops.cam_labels import competing_labels

METHODS = ['weclip_voc', 'excel_voc']


def segmentor(folder, kind, layers=4, classes=3, width=32, heads=8,
              **kwargs):
    """A small model; ``kind`` is that of the class evidence."""
    embed = kwargs.pop('embed', 32)
    names = [f'class{i}' for i in range(classes)]
    text = write_text(folder / 'text.npz', torch.randn(classes + 2, 12),
                      names, ['grass', 'sky'])
    options = dict(num_layers=2) if kind == 'TextSurgery' else {}
    levels = layers - (kind == 'TextGradCAM')
    arch = dict(embed_dims=embed, num_layers=layers, num_heads=2,
                feedforward_channels=64)
    kwargs.setdefault('test_cfg', dict(scales=(1., ), flip=False))
    model = FrozenCLIPSegmentor(
        dict(type='CLIPViT', arch=arch, img_size=32, patch_size=8,
             out_channels=12), PREPROCESSOR,
        dict(type='TransformerHead', in_channels=width, num_heads=heads,
             num_layers=kwargs.pop('decoder_layers', 1)), classes,
        class_evidence=dict(type=kind, text_embeddings=text,
                            background=['grass', 'sky'], **options),
        spread=dict(threshold=0.4, layers=2),
        fusion=dict(num_levels=levels, channels=width), **kwargs)
    if embed == 32:
        model.backbone.load_state_dict(small_vit(layers).state_dict())
    return model


# The published decoder


def published(test_data, folder):
    """The parity file, and a model with the published weights."""
    file = CLIPFile(test_data('parity', 'weclip_decoder.npz'))
    config = file.config
    model = segmentor(
        folder, 'TextGradCAM', layers=config['num_levels'] + 1,
        classes=config['num_classes'] - 1, embed=config['in_channels'],
        width=config['embedding_dim'], heads=config['heads'],
        decoder_layers=config['layers'], radius=config['radius'],
        loss_weights=dict(affinity=config['aff_loss_weight']))
    state = {rename(key, DECODER_NAMES): value for key, value in
             file.weights('decoder').items()}
    missing, unknown = model.load_state_dict(state, strict=False)
    assert not unknown
    assert not [name for name in missing if name.startswith(
        ('fusion', 'decode_head'))]
    model.train()
    model.fusion.dropout.eval()
    return file, model


def encoded(file, model):
    grid = tuple(file['feats'].shape[-2:])
    levels = [torch.nn.functional.pad(level.flatten(2).transpose(1, 2),
                                      (0, 0, 1, 0))
              for level in file['feats']]
    return FusedFeatures(None, model.fusion(levels, grid))


def batch_of(file, features):
    labels = file['label'].long()
    images = torch.zeros(len(labels), 3, *labels.shape[1:])
    return TrainingBatch(images, [], None, None, features, ())


def test_total_loss_and_gradients_parity(test_data, tmp_path, monkeypatch):
    file, model = published(test_data, tmp_path)
    monkeypatch.setattr(model, 'pseudo_labels',
                        lambda batch: file['label'].long())
    losses = model.pixel_losses(batch_of(file, encoded(file, model)))
    torch.testing.assert_close(losses['loss_seg'],
                               file['seg/loss'].view(()), rtol=1e-5, atol=0)
    weight = file.config['aff_loss_weight']
    torch.testing.assert_close(losses['loss_affinity'] / weight,
                               file['aff/loss'].view(()), rtol=1e-5, atol=0)
    total = sum(losses.values())
    torch.testing.assert_close(total, file['total/loss'].view(()), rtol=1e-5,
                               atol=0)
    total.backward()
    names = [key for key in file if key.startswith('total/grad/')]
    assert names
    for key in names:
        name = rename(key.removeprefix('total/grad/'), DECODER_NAMES)
        close(model.get_parameter(name).grad, file[key], 1e-4)


def test_gradient_of_the_fused_features_parity(test_data, tmp_path):
    file, model = published(test_data, tmp_path)
    fused = file['fuse'].clone().requires_grad_()
    losses = model.decoder_losses(
        batch_of(file, FusedFeatures(None, fused)), file['label'].long())
    check_loss(losses['loss_seg'], fused, file['seg/loss'],
               file['seg/grad_fuse'])


# Properties


@pytest.fixture(params=['TextGradCAM', 'TextSurgery'])
def model(request, tmp_path):
    more = dict(calibrate_after=2, predicted_after=3,
                affinity=dict(normalize=True, gain=3.)) if (
        request.param == 'TextSurgery') else {}
    return segmentor(tmp_path, request.param, refine_after=1, radius=2,
                     colour_rounds=2, **more)


@pytest.fixture
def batch():
    return torch.randn(2, 3, 32, 48), [sample([0., 1, 1], (32, 48)),
                                       sample([1., 0, 0], (24, 48))]


def test_losses_teach_all_but_the_encoder(model, batch):
    model.train()
    for step in range(5):
        assert model.steps == step
        losses = model(*batch, mode='loss')
        assert set(losses) == {'loss_seg', 'loss_affinity'}
        assert all(value.isfinite() for value in losses.values())
    sum(losses.values()).backward()
    learned = {name.split('.')[0] for name, p in model.named_parameters()
               if p.grad is not None}
    assert learned == {'fusion', 'decode_head'}
    untaught = [name for name, p in model.named_parameters()
                if p.requires_grad and p.grad is None]
    assert not untaught
    assert not any(p.requires_grad for p in model.backbone.parameters())
    assert not any(m.training for m in model.backbone.modules())


def test_parts_begin_when_their_steps_are_over(model, batch, monkeypatch):
    calls = []
    affinity = type(model.affinity)
    for name in ('forward', 'attention'):
        real = getattr(affinity, name)
        monkeypatch.setattr(affinity, name, lambda self, x, real=real,
                            name=name: (calls.append(name), real(self, x))[1])
    decode = type(model).decode
    monkeypatch.setattr(type(model), 'decode', lambda self, x: (
        calls.append('decode'), decode(self, x))[1])
    model.train()
    surgery = model.calibrate_after is not None
    for step in range(5):
        calls.clear()
        model(*batch, mode='loss')
        # Once for the loss, once for the maps.
        assert calls.count('forward') == 1 + (step >= 1)
        assert calls.count('attention') == (surgery and step >= 2)
        assert calls.count('decode') == 1 + (surgery and step >= 3)
    model.eval()
    calls.clear()
    model.localize(*batch)
    assert calls.count('forward') == 1
    assert calls.count('attention') == surgery
    assert model.steps == 5
    assert model.state_dict()['steps'] == 5


def test_pseudo_labels_are_those_of_the_present_classes(model, batch,
                                                        monkeypatch):
    seen = []
    monkeypatch.setattr(
        'mmwsss.models.segmentors.frozen_clip.competing_labels',
        lambda *args, **kwargs: seen.append(
            (competing_labels(*args, **kwargs), args[0])) or seen[-1][0])
    model.train()
    model(*batch, mode='loss')
    [(labels, colours)] = seen
    assert colours.min() >= 0 and colours.max() <= 1
    assert set(labels[0].unique().tolist()) <= {0, 2, 3}
    assert set(labels[1].unique().tolist()) <= {0, 1, 255}
    assert (labels[1, 24:] == 255).all() and (labels[1, :24] < 255).all()


def test_one_images_maps_do_not_depend_on_the_others(model, batch):
    images, samples = batch
    model.eval()
    together = model.localize(images, samples)
    assert [maps.shape[0] for maps in together] == [2, 1]
    for i in range(2):
        [alone] = model.localize(images[i:i + 1], samples[i:i + 1])
        torch.testing.assert_close(together[i], alone, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize('size', [(32, 48), (56, 24)])
def test_predictions_without_labels(model, size):
    """The decoder alone is asked, and the labels are not."""
    model.eval()
    one = sample([1., 0, 0], size)
    del one.gt_label
    [found] = model.predict(torch.randn(1, 3, *size), [one])
    assert found.pred_sem_seg.data.shape == (1, *size)
    assert 'pred_cam' not in found


@pytest.mark.parametrize('off', ['seg', 'affinity'])
def test_a_loss_without_weight_is_not_computed(model, batch, off):
    model.loss_weights[off] = 0
    [name] = model(*batch, mode='loss')
    assert name == {'seg': 'loss_affinity', 'affinity': 'loss_seg'}[off]


def test_images_without_any_label(model):
    losses = model.train()(torch.randn(1, 3, 32, 32),
                           [sample([0., 0, 0], (32, 32))], mode='loss')
    assert all(value.isfinite() for value in losses.values())


@pytest.mark.parametrize('options, message', [
    (dict(loss_weights=dict(ptc=0.)), r"unknown \['ptc'\]"),
    (dict(test_cfg=dict(maps='seg')), "test_cfg.maps='seg'")])
def test_wrong_options_are_named(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        segmentor(tmp_path, 'TextGradCAM', **options)


# Whole runs


@pytest.fixture(params=METHODS)
def config(request, shapes, weights, tmp_path):
    return shapes_config(request.param, tmp_path, shapes, weights)


def test_trains_localizes_and_segments(config, tmp_path):
    losses = train_losses(config, tmp_path / 'run')
    assert len(losses) == 8
    assert all(set(row) == {'loss', 'loss_seg', 'loss_affinity'}
               for row in losses)
    assert losses[-1]['loss'] < losses[0]['loss']
    cfg = load_config(config, work_dir=str(tmp_path / 'run'))
    checkpoint = best_checkpoint(cfg.work_dir)
    assert 'best_seg_mIoU' in checkpoint
    [path] = (tmp_path / 'run').glob('*/vis_data/scalars.json')
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert any({'cam/mIoU', 'seg/mIoU'} <= set(row) for row in rows)
    for tta in (False, True):
        assert 0 <= run_test(cfg, checkpoint, tta=tta)['mIoU'] <= 100
    report = generate_pseudo_labels(cfg, checkpoint, str(tmp_path / 'out'))
    assert report['images'] == 8 and report['mAP'] > 0
    assert read_map(str(tmp_path / 'out' / 'maps' / 'img1.npz')
                    ).labels.tolist() == [1]


def test_losses_are_the_same_without_the_true_masks(config, shapes,
                                                    tmp_path):
    options = {f'val_{part}': None for part in ('cfg', 'dataloader',
                                                'evaluator')}
    options['default_hooks.checkpoint.save_best'] = None
    first = train_losses(config, tmp_path / 'a', **options)
    shutil.rmtree(f'{shapes}/SegmentationClassAug')
    assert train_losses(config, tmp_path / 'b', **options) == first


def test_a_resumed_run_has_the_same_losses(config, tmp_path):
    """The steps are counted on: parts begin when they would have."""
    options = {'train_cfg.val_interval': 99, 'model.fusion.dropout': 0.,
               'default_hooks.checkpoint.max_keep_ckpts': 2,
               # Chance is not the same after a stop.
               'train_dataloader.dataset.pipeline': [
                   dict(type='LoadPhoto'), dict(type='PackImageLevelInputs')],
               'model.data_preprocessor.size': (48, 64)}
    whole = train_losses(config, tmp_path / 'whole', **options)
    part = tmp_path / 'part'
    part.mkdir()
    shutil.copy(tmp_path / 'whole' / 'iter_4.pth', part)
    (part / 'last_checkpoint').write_text(str(part / 'iter_4.pth'))
    train(load_config(config, {'default_hooks.logger.interval': 1, **options},
                      str(part)), resume=True)
    [path] = glob.glob(str(part / '*' / 'vis_data' / 'scalars.json'))
    with open(path) as file:
        rows = [json.loads(line) for line in file]
    rest = [{key: value for key, value in row.items()
             if key.startswith('loss')} for row in rows if 'loss' in row]
    assert rest == whole[4:]


def test_mixed_precision(config, tmp_path):
    cfg = load_config(config, {'train_cfg.max_iters': 7,
                               'train_cfg.val_interval': 7},
                      str(tmp_path / 'run'))
    train(cfg, amp=True)
    state = torch.load(best_checkpoint(cfg.work_dir),
                       weights_only=False)['state_dict']
    assert all(value.isfinite().all() for value in state.values())
    assert state['steps'] == 7


def test_the_pipeline_also_tests_the_decoder(shapes, weights, tmp_path):
    config = shapes_config('weclip_voc', tmp_path, shapes, weights)
    results = run_pipeline(config, None, str(tmp_path / 'all'))
    assert list(results) == ['localizer', 'decoder', 'pseudo_train',
                             'pseudo_val']
    assert os.path.isfile(tmp_path / 'all' / 'report.html')
