import os.path as osp

import numpy as np
import pytest
import torch
from affinity_nets import PREPROCESSOR, taps
from command_lines import run_tool
from mmengine.config import Config
from shapes import (
    AFFINITY,
    ROOT,
    SHAPES_LOCALIZER,
    SHAPES_SEGMENTOR,
    SHAPES_TOCO,
    tiny_model,
    write_config,
)

from mmwsss import apis
from mmwsss.apis import load_config, run_pipeline, train
from mmwsss.apis.class_counts import check_class_counts
from mmwsss.problems import ConfigError, DataError
from mmwsss.registry import MODELS

ARCH = dict(embed_dims=32, num_layers=4, num_heads=2,
            feedforward_channels=64)
VIT = dict(type='TokenViT', img_size=48, patch_size=8, arch=ARCH)


def mmct(count):
    return tiny_model(count), 'model.backbone.num_classes'


def cam(count):
    return dict(type='CAMLocalizer', backbone=VIT, num_classes=count,
                data_preprocessor=PREPROCESSOR), 'model.num_classes'


def single_stage(kind):
    def config(count):
        return dict(type=kind, backbone=VIT, num_classes=count,
                    decode_head=dict(type='LargeFOVHead', channels=16),
                    data_preprocessor=PREPROCESSOR), 'model.num_classes'
    return config


LOCALIZERS = dict(mmct=mmct, cam=cam, toco=single_stage('ToCo'),
                  afa=single_stage('AFA'))


def head(count, **kwargs):
    return dict(type='mmseg.FCNHead', in_channels=512, channels=8, in_index=3,
                num_convs=1, num_classes=count,
                loss_decode=dict(type='mmseg.CrossEntropyLoss'), **kwargs)


def segmentor(count, **heads):
    return dict(type='mmseg.EncoderDecoder', data_preprocessor=PREPROCESSOR,
                backbone=dict(type='mmseg.ResNetV1c', depth=18),
                decode_head=head(count), **heads)


def config(model, classes=('background', 'red', 'blue'), loader='train',
           **dataset):
    dataset = dataset or dict(type='ImageLevelDataset',
                              metainfo=dict(classes=classes))
    return Config({'model': model, f'{loader}_dataloader': dict(
        dataset=dataset)})


@pytest.mark.parametrize('method', LOCALIZERS)
@pytest.mark.parametrize('count', [1, 3, 20])
@pytest.mark.parametrize('loader', ['train', 'val', 'test'])
def test_localizers(method, count, loader):
    model, option = LOCALIZERS[method](count)
    with pytest.raises(ConfigError) as caught:
        check_class_counts(config(model, loader=loader))
    message = str(caught.value)
    assert message.startswith(
        f'{option}={count}, but the data set of {loader}_dataloader has 2 '
        'classes (red, blue)')
    assert f'set {option}=2' in message and '\n' not in message
    assert ('the background does not count' in message) == (count == 3)


@pytest.mark.parametrize('method', LOCALIZERS)
def test_localizers_that_fit(method):
    check_class_counts(config(LOCALIZERS[method](2)[0]))
    check_class_counts(config(
        LOCALIZERS[method](20)[0], type='VOC12ClsDataset'))
    check_class_counts(config(
        LOCALIZERS[method](2)[0], type='ConcatDataset', datasets=[dict(
            type='ImageLevelDataset', metainfo=dict(
                classes=['background', 'a', 'b']))] * 2))


@pytest.mark.parametrize('count', [1, 2, 4, 5])
@pytest.mark.parametrize('kind', ['PseudoMaskDataset', 'PhotoFolder',
                                  'mmseg.BaseSegDataset'])
def test_segmentors(count, kind):
    dataset = dict(type=kind,
                   metainfo=dict(classes=('background', 'red', 'blue')))
    with pytest.raises(ConfigError) as caught:
        check_class_counts(config(segmentor(count), **dataset))
    message = str(caught.value)
    assert message.startswith(
        f'model.decode_head.num_classes={count}, but the data set of '
        'train_dataloader has 3 classes (background, red, blue)')
    assert ('the background counts' in message) == (count == 2)
    check_class_counts(config(segmentor(3), **dataset))


@pytest.mark.parametrize('heads, option', [
    (dict(auxiliary_head=head(2)), 'model.auxiliary_head.num_classes=2'),
    (dict(auxiliary_head=[head(3), head(5)]),
     'model.auxiliary_head.1.num_classes=5')])
def test_auxiliary_heads(heads, option):
    with pytest.raises(ConfigError, match=option):
        check_class_counts(config(segmentor(3, **heads)))


def test_a_decoder_of_its_own_number():
    model, _ = LOCALIZERS['toco'](2)
    model['decode_head']['num_classes'] = 2
    with pytest.raises(ConfigError, match='model.decode_head.num_classes=2.*'
                       'the background counts here'):
        check_class_counts(config(model))


@pytest.mark.parametrize('dataset, count', [
    (dict(type='VOC12ClsDataset'), 20),
    (dict(type='PseudoMaskDataset', masks='m', classes_of='VOC12ClsDataset'),
     20),
    (dict(type='COCO14ClsDataset'), 80),
    (dict(type='RepeatDataset', times=2,
          dataset=dict(type='VOC12ClsDataset')), 20)])
def test_where_classes_are_named(dataset, count):
    with pytest.raises(ConfigError, match=f'has {count} classes'):
        check_class_counts(config(mmct(3)[0], **dataset))


def test_classes_in_a_file(tmp_path):
    (tmp_path / 'c.txt').write_text('background\nred\nblue\n')
    with pytest.raises(ConfigError, match='has 2 classes'):
        check_class_counts(config(
            mmct(3)[0], type='ImageLevelDataset',
            metainfo=dict(classes=str(tmp_path / 'c.txt'))))


@pytest.mark.parametrize('kind', ['IRN', 'PSA'])
@pytest.mark.parametrize('count', [1, 2, 7])
def test_affinity_networks_have_no_number_of_classes(kind, count):
    model = dict(type=kind, backbone=taps(), data_preprocessor=PREPROCESSOR,
                 test_cfg=dict(exp_times=2))
    names = ['background', *map(str, range(count))]
    check_class_counts(config(model, names))
    network = MODELS.build(model).eval()
    [refined] = network.refine(torch.rand(1, 3, 64, 64),
                               [torch.rand(count, 64, 64)])
    assert refined.shape == (count, 64, 64)


def of_shapes(text, number, right):
    """A config of ``shapes`` whose model has another number of classes."""
    assert f'num_classes={right}' in text
    return text.replace(f'num_classes={right}', f'num_classes={number}')


@pytest.mark.parametrize('text, number, right', [
    (SHAPES_LOCALIZER, 3, 2), (SHAPES_LOCALIZER, 1, 2), (SHAPES_TOCO, 3, 2),
    (SHAPES_SEGMENTOR, 2, 3), (SHAPES_SEGMENTOR, 5, 3)])
def test_training_does_not_begin(text, number, right, shapes, tmp_path):
    path = write_config(tmp_path / 'c.py', of_shapes(text, number, right),
                        shapes)
    masks = osp.join(shapes, 'SegmentationClassAug')
    more = ([f'pseudo_masks={masks}'] if text is SHAPES_SEGMENTOR else
            ['localize_workers=0'])
    stopped = run_tool('train', path, '--work-dir', tmp_path / 'run',
                       '--cfg-options', *more)
    assert stopped.startswith('error: model.')
    assert f'num_classes={number}, but' in stopped and '\n' not in stopped
    assert not list((tmp_path / 'run').glob('*.pth'))


def test_generation_and_test_do_not_begin(trained, segmentor_config, shapes,
                                          tmp_path):
    cfg, checkpoint = trained
    cfg.model.backbone.num_classes = 3
    with pytest.raises(ConfigError, match='model.backbone.num_classes=3'):
        apis.generate_pseudo_labels(cfg, checkpoint, str(tmp_path / 'out'))
    seg = load_config(segmentor_config, work_dir=str(tmp_path / 'seg'))
    seg.model.decode_head.num_classes = 5
    with pytest.raises(ConfigError, match='test_dataloader has 3 classes'):
        apis.test(seg, 'none.pth')


@pytest.mark.parametrize('wrong', ['localizer', 'segmentor'])
def test_a_pipeline_does_not_begin(wrong, shapes, tmp_path, monkeypatch):
    def never(*args, **kwargs):
        raise AssertionError('trained')

    monkeypatch.setattr('mmwsss.apis.stages.train', never)
    paths = []
    for name, text, right in (('localizer', SHAPES_LOCALIZER, 2),
                              ('segmentor', SHAPES_SEGMENTOR, 3)):
        if name == wrong:
            text = of_shapes(text, 4, right)
        paths.append(write_config(tmp_path / f'{name}.py', text, shapes))
    affinity = write_config(tmp_path / 'irn.py', AFFINITY.replace(
        '{name}', 'irn_deit-tiny_voc').replace('{maps!r}', "'maps'"), shapes)
    with pytest.raises(ConfigError, match='num_classes=4, but'):
        run_pipeline(*paths, str(tmp_path / 'work'), affinity=affinity)


def test_text_embeddings_of_other_classes(localizer_config, tmp_path):
    file = str(tmp_path / 't.npz')
    np.savez(file, names=['red', 'blue', 'green'], model='test', prompt='{}',
             embeddings=np.eye(3, 32, dtype=np.float32))
    cfg = load_config(localizer_config, {
        'model.textual_tokens.text_embeddings': file}, str(tmp_path / 'run'))
    with pytest.raises(DataError, match='3 classes, the data set has 2'):
        train(cfg)
    with pytest.raises(DataError, match='3 classes, the data set has 2'):
        check_class_counts(cfg)


@pytest.mark.parametrize('name', [
    'cam_deit-tiny_voc', 'toco_digits', 'afa_deit-tiny_voc', 'mmct_digits',
    'deeplabv3_r18_digits', 'r38d_cls_coco', 'irn_deit-tiny_voc',
    'largefov_deit-tiny_voc'])
def test_our_configs_agree(name):
    check_class_counts(load_config(osp.join(ROOT, 'configs', f'{name}.py')))
