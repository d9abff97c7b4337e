# Class activation maps of a ResNet50, IRN's seed (section 5.1 and its
# published code).
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/voc12_cls.py',
    '_base_/generation.py', '_base_/models/imagenet_preprocessor.py',
    '_base_/schedules/sgd_cls.py'
]
pretrained = 'https://download.pytorch.org/models/resnet50-19c8e357.pth'
model = dict(
    type='CAMLocalizer',
    data_preprocessor=dict(pad_val=0, size=(512, 512)),
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
train_cfg = dict(max_epochs=5)
