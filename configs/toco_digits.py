# ToCo from scratch on DigitScenes: a few minutes on two CPU cores.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/digit_scenes_cls.py',
    '_base_/generation.py', '_base_/models/toco_vit-b.py',
    '_base_/schedules/toco.py'
]
num_classes = 10
pretrained = None
model = dict(
    data_preprocessor=dict(size=(64, 64), **_base_.digits_statistics),
    backbone=dict(
        arch=dict(_delete_=True, embed_dims=96, num_layers=4, num_heads=3,
                  feedforward_channels=192),
        img_size=64, patch_size=8, pretrained=pretrained,
        patch_cfg=dict(conv_type='mmwsss.ConvStem')),
    num_classes=num_classes,
    # Max pooling does not start from random weights: one patch of each
    # channel has a gradient.
    pooling_decay=0.9,
    decode_head=dict(channels=128, dilation=2),
    num_crops=4, crop_size=24,
    projection=dict(hidden_channels=256, out_channels=256),
    test_cfg=dict(scales=(1.0, 1.5), flip=False))
train_pipeline = [
    dict(type='LoadPhoto'),
    # Digits are not mirrored: a mirrored 2 is no 2.
    dict(type='PhotometricView', to='second_view'),
    dict(type='PhotometricView', to='local_view', blur=0.5),
    dict(type='PackImageLevelInputs'),
]
val_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='LoadMask'),
    dict(type='PackImageLevelInputs'),
]
train_dataloader = dict(sampler=dict(type='InfiniteSampler'),
                        dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(
    _base_.val_dataloader,
    dataset=dict(_base_.digits_val, pipeline=val_pipeline))
val_evaluator = _base_.single_stage_evaluators
test_evaluator = _base_.mask_evaluator

train_cfg = dict(max_iters=800, val_interval=800)
optim_wrapper = dict(optimizer=dict(lr=1e-3),
                     paramwise_cfg=dict(new_lr_mult=1.0))
param_scheduler = [
    dict(_base_.param_scheduler[0], warmup_iters=50, warmup_ratio=0.01)
]
default_hooks = dict(checkpoint=dict(interval=800))
custom_hooks = [
    *_base_.common_hooks,
    # Nothing is known of places before the classes are learned.
    dict(type='LateLossesHook', after=400,
         weights=dict(ptc=0.2, ctc=0.1, seg=0.1, energy=0.05)),
]
