# ToCo from scratch on DigitScenes: a few minutes on two CPU cores.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/digit_scenes_cls.py',
    '_base_/generation.py', '_base_/models/toco_vit-b.py',
    '_base_/schedules/toco.py'
]
num_classes = 10
pretrained = None
score_classes = 'all'
model = dict(
    data_preprocessor=dict(mean=[127.] * 3, std=[60.] * 3, size=(64, 64)),
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
    dict(type='mmseg.LoadAnnotations', imdecode_backend='pillow'),
    dict(type='PackImageLevelInputs'),
]
train_dataloader = dict(sampler=dict(type='InfiniteSampler'),
                        dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
data_root = 'data/digit_scenes'
test_dataloader = dict(
    batch_size=50,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='DigitScenesDataset', data_root=data_root, test_mode=True,
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClassAug'),
        ann_file='ImageSets/Segmentation/val.txt',
        label_source=dict(type='TableLabels', file='labels.csv'),
        pipeline=val_pipeline))
val_evaluator = [
    dict(type='ClassSubsetIoU', prefix=prefix, field=field,
         iou_metrics=['mIoU'], classes=score_classes)
    for prefix, field in (('cam', 'pred_cam'), ('aux_cam', 'pred_aux_cam'),
                          ('seg', 'pred_sem_seg'))
]
test_evaluator = dict(
    type='ClassSubsetIoU', iou_metrics=['mIoU'], classes=score_classes)

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
