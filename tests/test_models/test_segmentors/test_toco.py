"""ToCo: parity with the published network, losses that stay finite."""
import json

import numpy as np
import pytest
import torch
from mmengine.structures import LabelData
from mmseg.structures import SegDataSample
from parity_files import close, read, toco_weights
from shapes import train_losses
from single_stage_nets import sample, toco

from mmwsss.apis import (
    best_checkpoint,
    generate_pseudo_labels,
    load_config,
    run_pipeline,
    train,
)
from mmwsss.apis import test as run_test
from mmwsss.conversion.convert import convert
from mmwsss.conversion.layouts import LAYOUTS
from mmwsss.engine import PolyWarmupLR
from mmwsss.models.key_names import rename

TOCO = LAYOUTS['toco']


@pytest.fixture(scope='module')
def published(test_data):
    """The parity file, and a model with its weights."""
    arrays = read(test_data('parity', 'toco_model.npz'))
    config = json.loads(str(arrays['config']))
    model = toco(config['embed'], config['depth'], config['heads'],
                 config['ncls'] - 1, config['img'], aux_layer=config['aux'])
    converted, dropped = convert(toco_weights(arrays), TOCO)
    assert list(dropped) == ['encoder.head.bias', 'encoder.head.weight']
    model.load_state_dict(converted)
    return model.eval(), {key: torch.from_numpy(value) for key, value in
                          arrays.items() if value.dtype.kind in 'fi'}, arrays


@pytest.mark.parametrize('tag', ['sq', 'rect', 'big'])
def test_network_parity(published, tag):
    model, arrays, _ = published
    images = arrays[f'in/x_{tag}']
    with torch.no_grad():
        token, features, aux = model.encode(images)
        close(model.classify(images), arrays[f'{tag}/cls_logits'])
        close(model.decode_head([features]), arrays[f'{tag}/seg'])
        cam, cam_aux = model.responses(model.encode(images))
        close(cam, arrays[f'{tag}/cam'])
        close(cam_aux, arrays[f'{tag}/cam_aux'])
        # Of the largest image, the file has no more than these.
        if f'{tag}/fmap' in arrays:
            close(features, arrays[f'{tag}/fmap'])
        if f'{tag}/cls_token' in arrays:
            close(token, arrays[f'{tag}/cls_token'])
            close(aux.flatten(2).transpose(1, 2), arrays[f'{tag}/patch_aux'])
        if f'{tag}/ms_cam' in arrays:
            for got, name in zip(model.multi_scale_maps(images),
                                 ('ms_cam', 'ms_cam_aux')):
                assert (got - arrays[f'{tag}/{name}']).abs().max() <= 2e-4


def test_projection_and_gradient_parity(published):
    model, arrays, raw = published
    images = arrays['in/x_sq']
    views = [arrays['in/crop_g0'], arrays['in/crop_g1'],
             *arrays['in/crops_local']]
    student = model.projection(torch.cat(
        [model.encode(view)[0] for view in views]))
    close(student, arrays['proj/output_s'])
    _, features, aux = model.encode(images)
    loss = sum((x**2).mean() for x in (
        model.pooled_logits(model.classifier, features),
        model.pooled_logits(model.aux_classifier, aux),
        model.decode_head([features]), features))
    weight = arrays['in/w_s']
    loss = loss + (student[:, :weight.shape[1]] * weight).sum()
    close(loss.detach(), arrays['grad/loss'], 1e-5)
    model.zero_grad()
    loss.backward()
    gradients = {name: p.grad for name, p in model.named_parameters()
                 if p.grad is not None}
    names = [key[5:] for key in raw if key.startswith('grad/')
             and key != 'grad/loss']
    ours, _ = convert({name: arrays[f'grad/{name}'] for name in names}, TOCO)
    for name, want in ours.items():
        close(gradients[name], want, 1e-4)
    none, _ = convert({name: torch.zeros(1) for name in json.loads(
        str(raw['grad_is_none_json']))}, TOCO)
    assert not set(none) & set(gradients)


def test_teacher_parity(published):
    model, arrays, _ = published
    state = {key: value.clone() for key, value in model.state_dict().items()}
    views = torch.cat([arrays['in/crop_g0'], arrays['in/crop_g1']])
    theirs = [name.split('/', 2)[2] for name in arrays
              if name.startswith('proj/t_after_sub/')]
    assert theirs
    with torch.no_grad():
        for step in ('t_after', 't_after2'):
            teacher = model.teach(model.encode(views)[0])
            if step == 't_after':
                close(teacher, arrays['proj/output_t'])
            now = model.state_dict()
            for name in theirs:
                value = now[rename(f'proj_head_t.{name}', TOCO.names)]
                value = value.flatten()
                value = value[::max(1, value.numel() // 199)][:200]
                close(value, arrays[f'proj/{step}_sub/{name}'], 1e-6)
    model.load_state_dict(state)


def test_what_is_trained_parity(published):
    model, _, raw = published
    ours = {name: p.requires_grad for name, p in model.named_parameters()}
    theirs = {rename(name, TOCO.names): trained for name, trained in
              json.loads(str(raw['requires_grad_json'])).items()}
    theirs.pop(None)  # the classifier that nothing uses
    assert ours == theirs


@pytest.fixture
def small():
    torch.manual_seed(0)
    return toco(projection=dict(hidden_channels=16, out_channels=8),
                crop_size=32)


@pytest.mark.parametrize('case', ['usual', 'no class', 'padded',
                                  'smaller than a crop', 'low', 'high'])
def test_losses_are_finite_and_teach_every_part(small, case):
    onehot = [0., 0, 0, 0] if case == 'no class' else [0., 1, 0, 1]
    size = {'padded': (40, 64), 'smaller than a crop': (24, 20)}.get(
        case, (64, 96))
    if case == 'low':  # all is background
        small.low, small.high = 1., 1.
    elif case == 'high':  # nothing is
        small.low, small.high = -1., 0.
    images = torch.randn(2, 3, 64, 96)
    losses = small(images, [sample(onehot, size), sample([1., 0, 0, 0],
                                                         size)], mode='loss')
    assert set(losses) == {'loss_cls', 'loss_aux', 'loss_ptc', 'loss_ctc',
                           'loss_seg', 'loss_energy'}
    sum(losses.values()).backward()
    assert all(loss.isfinite() for loss in losses.values())
    for name, parameter in small.named_parameters():
        if parameter.requires_grad and parameter.grad is not None:
            assert parameter.grad.isfinite().all(), name
    untaught = {name.split('.')[0] for name, p in small.named_parameters()
                if p.requires_grad and p.grad is None}
    assert not untaught


def test_a_weight_of_zero_switches_a_loss_off(small):
    small.loss_weights.update(ptc=0, ctc=0, seg=0, energy=0)
    plain = SegDataSample(metainfo=dict(img_shape=(64, 64)))
    plain.set_field(LabelData(label_onehot=torch.tensor([1., 0, 0, 0])),
                    'gt_label')
    assert set(small(torch.randn(1, 3, 64, 64), [plain], mode='loss')) == {
        'loss_cls', 'loss_aux'}
    small.loss_weights['ctc'] = 0.5
    with pytest.raises(ValueError, match='PhotometricView'):
        small(torch.randn(1, 3, 64, 64), [plain], mode='loss')


def test_an_image_smaller_than_a_crop_is_named():
    model = toco(crop_size=96)
    with pytest.raises(ValueError, match='8 crops of 96 px do not fit'):
        model(torch.randn(1, 3, 64, 64), [sample([1., 0, 0, 0], (64, 64))],
              mode='loss')


@pytest.mark.parametrize('options, message', [
    (dict(loss_weights=dict(affinity=0.1)),
     r"unknown \['affinity'\]; known: .*'ptc', 'ctc'"),
    (dict(test_cfg=dict(maps='affinity')),
     r"test_cfg.maps='affinity': use one of \('cam', 'aux'\)")])
def test_what_toco_does_not_have_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        toco(**options)


def test_learning_rate_parity(test_data):
    with np.load(test_data('parity', 'toco_losses.npz')) as file:
        args = json.loads(str(file['optim/args_json']))
        rates, grads = file['optim/lr_used'], file['optim/grads']
        start = [file[f'optim/param{i}'] for i in (0, 1)]
        final = [file[f'optim/param{i}_final'] for i in (0, 1)]
    params = [torch.nn.Parameter(torch.from_numpy(x.copy())) for x in start]
    optimizer = torch.optim.AdamW(
        [dict(params=[p], lr=args['lr'] * m) for p, m in zip(params, (1, 10))],
        lr=args['lr'], weight_decay=args['weight_decay'],
        betas=tuple(args['betas']))
    schedule = PolyWarmupLR(
        optimizer, max_iters=args['max_iter'],
        warmup_iters=args['warmup_iter'], warmup_ratio=args['warmup_ratio'],
        power=args['power'])
    for grad, want in zip(grads, rates):
        got = [group['lr'] for group in optimizer.param_groups]
        assert np.allclose(got, want, rtol=1e-9)
        for p, factor in zip(params, (1, -2)):
            p.grad = torch.from_numpy(factor * grad)
        optimizer.step()
        schedule.step()
    for p, want in zip(params, final):
        close(p.detach(), torch.from_numpy(want), 1e-5)


def test_trains_localizes_and_segments(toco_config, tmp_path):
    losses = train_losses(toco_config, tmp_path / 'run')
    late = ['loss_seg' in row for row in losses]
    assert late == [False] * 10 + [True] * 20
    assert losses[-1]['loss_cls'] < losses[0]['loss_cls']
    cfg = load_config(toco_config, work_dir=str(tmp_path / 'run'))
    checkpoint = best_checkpoint(cfg.work_dir)
    assert 'best_seg_mIoU' in checkpoint
    [path] = (tmp_path / 'run').glob('*/vis_data/scalars.json')
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    scores = next(row for row in rows if 'cam/mIoU' in row)
    assert {'aux_cam/mIoU', 'seg/mIoU'} <= set(scores)
    plain = run_test(cfg, checkpoint)
    flipped = run_test(cfg, checkpoint, tta=True)
    assert 0 <= plain['mIoU'] <= 100 and 0 <= flipped['mIoU'] <= 100
    for kind in ('cam', 'aux'):
        cfg.model.test_cfg.maps = kind
        report = generate_pseudo_labels(cfg, checkpoint,
                                        str(tmp_path / kind))
        assert report['images'] == 8 and report['mAP'] > 0


def test_the_pipeline_also_tests_the_decoder(toco_config, tmp_path):
    work_dir = tmp_path / 'all'
    results = run_pipeline(toco_config, None, str(work_dir))
    assert list(results) == ['localizer', 'decoder', 'pseudo_train',
                             'pseudo_val']
    cfg = load_config(toco_config, work_dir=str(tmp_path / 'again'))
    assert results['decoder'] == run_test(
        cfg, best_checkpoint(str(work_dir / 'localizer')), tta=True)
    assert len(list((work_dir / 'decoder' / 'predictions').iterdir())) == 8
    assert (work_dir / 'decoder' / 'predictions_overlays.png').is_file()
    # Maps and masks are not made again because another test is asked for.
    with_crf = run_pipeline(toco_config, None, str(work_dir), crf=True)
    assert 'crf/mIoU' in with_crf['decoder']
    assert with_crf['pseudo_val'] == results['pseudo_val']


def test_late_losses_have_to_exist(toco_config, tmp_path):
    cfg = load_config(toco_config, work_dir=str(tmp_path / 'run'))
    cfg.custom_hooks[1].weights = dict(segm=1.)
    with pytest.raises(ValueError, match=r"unknown \['segm'\]"):
        train(cfg)
