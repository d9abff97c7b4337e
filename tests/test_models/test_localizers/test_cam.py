"""Class activation maps of a CNN."""
import torch
from shapes import dataset_config, train_losses, write_config
from torch import nn

from mmwsss.files.masks import read_mask
from mmwsss.models.localizers import CAMLocalizer
from mmwsss.registry import DATASETS, MODELS


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
train_cfg = dict(max_epochs=4)
'''
