# The demo's second stage: a narrow DeepLabV3 from scratch on pseudo masks.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/digit_scenes.py',
    '_base_/models/encoder_decoder.py', '_base_/schedules/iterations.py'
]
pseudo_masks = 'work_dirs/mmct_digits/pseudo/train/masks'

train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='LoadMask'),
    dict(type='mmseg.RandomResize', scale=(64, 64), ratio_range=(0.8, 1.25),
         keep_ratio=True),
    dict(type='mmseg.RandomCrop', crop_size=(64, 64)),
    dict(type='mmseg.PackSegInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),  # the name that MMSegInferencer looks for
    dict(type='mmwsss.LoadMaskIfAny'),
    dict(type='mmseg.PackSegInputs'),
]
tta_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='TestTimeAug', transforms=[
        # No mirrored digits: scales only.
        [dict(type='Resize', scale_factor=s, keep_ratio=True)
         for s in (0.75, 1.0, 1.25)],
        [dict(type='LoadMask')],
        [dict(type='mmseg.PackSegInputs')],
    ]),
]
tta_model = dict(type='WSSSegTTA', pool='mean')
# Scenes are 64 px wide: near neighbours only.
test_crf = dict(iterations=10, gaussian_sxy=1, gaussian_compat=3,
                bilateral_sxy=10, bilateral_srgb=13, bilateral_compat=3)
train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='PseudoMaskDataset',
        classes_of='DigitScenesDataset',
        masks=pseudo_masks,
        data_root=_base_.data_root,
        data_prefix=dict(img_path='JPEGImages'),
        ann_file='ImageSets/Segmentation/train.txt',
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(_base_.digits_val, pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(type='ClassSubsetIoU', iou_metrics=['mIoU'])
test_evaluator = val_evaluator

norm_cfg = dict(type='BN')
model = dict(
    data_preprocessor=dict(size=(64, 64), **_base_.digits_statistics),
    backbone=dict(
        type='mmseg.ResNetV1c', depth=18, base_channels=32, num_stages=4,
        stem_channels=32, out_indices=(3, ), dilations=(1, 1, 2, 4),
        strides=(1, 2, 1, 1), contract_dilation=True, norm_cfg=norm_cfg),
    decode_head=dict(
        type='mmseg.ASPPHead', in_channels=256, channels=64,
        dilations=(1, 2, 3, 4), num_classes=11, dropout_ratio=0.1,
        norm_cfg=norm_cfg, align_corners=False,
        loss_decode=dict(type='mmseg.CrossEntropyLoss')))

optim_wrapper = dict(
    _delete_=True, type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.01))
train_cfg = dict(max_iters=1000, val_interval=1000)
default_hooks = dict(checkpoint=dict(interval=1000))
