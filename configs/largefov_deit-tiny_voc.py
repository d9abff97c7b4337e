# Second stage for a laptop: LargeFOV on DeiT-tiny, trained on pseudo masks,
# for photos of 320 px.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/voc12_pseudo.py',
    '_base_/models/largefov_vit.py', '_base_/schedules/iterations.py'
]
train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='LoadMask'),
    dict(type='mmseg.RandomResize', scale=(320, 320), ratio_range=(0.5, 1.5),
         keep_ratio=True),
    dict(type='mmseg.RandomCrop', crop_size=(224, 224), cat_max_ratio=0.9),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg.PackSegInputs'),
]
tta_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='TestTimeAug', transforms=[
        [dict(type='Resize', scale_factor=s, keep_ratio=True)
         for s in (0.75, 1.0, 1.5)],
        [dict(type='RandomFlip', prob=0.),
         dict(type='RandomFlip', prob=1.)],
        [dict(type='LoadMaskIfAny')],
        [dict(type='mmseg.PackSegInputs')],
    ]),
]
train_cfg = dict(max_iters=1000, val_interval=1000)
default_hooks = dict(checkpoint=dict(interval=1000))
pseudo_masks = 'work_dirs/mmct_deit-tiny_voc/pseudo/train/masks'
train_dataloader = dict(
    batch_size=16,
    dataset=dict(masks=pseudo_masks, pipeline=train_pipeline))
