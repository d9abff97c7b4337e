# Class activation maps of a ResNet50, IRN's seed (section 5.1 and its
# published code).
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/voc12_cls.py',
    '_base_/generation.py', '_base_/schedules/sgd_epochs.py'
]
pretrained = 'https://download.pytorch.org/models/resnet50-19c8e357.pth'
model = dict(
    type='CAMLocalizer',
    data_preprocessor=dict(
        type='mmseg.SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        size=(512, 512)),
    # Output stride 16; stem and two stages stay as they are.
    backbone=dict(type='ResNetTaps', strides=(1, 2, 2, 1), frozen_stages=2,
                  pretrained=pretrained),
    num_classes=20,
    test_cfg=dict(scales=(1.0, 0.5, 1.5, 2.0), flip=True))
train_pipeline = [
    dict(type='LoadPhoto'),
    # The longer side: 320 to 640 px.
    dict(type='mmseg.RandomResize', scale=(640, 640), ratio_range=(0.5, 1.0),
         keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg.RandomCrop', crop_size=(512, 512)),
    dict(type='PackImageLevelInputs'),
]
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=train_pipeline))
max_epochs = 5
optim_wrapper = dict(
    paramwise_cfg=dict(custom_keys=dict(classifier=dict(lr_mult=10.))))
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=0., begin=0, end=max_epochs,
         by_epoch=True, convert_to_iter_based=True)
]
train_cfg = dict(max_epochs=max_epochs)
val_cfg = dict(type='ValLoop')
default_hooks = dict(
    checkpoint=dict(save_best='multi-label/mAP', rule='greater'))
