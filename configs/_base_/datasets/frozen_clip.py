# Single-stage training on a frozen encoder from image-level labels (WeCLIP,
# ExCEL): crops of 320 px. A data set is laid over it, as in
# voc12_frozen_clip.py.
_base_ = 'toco.py'
train_pipeline = [
    dict(type='LoadPhoto'),
    # Half to twice the size of VOC's photos.
    dict(type='mmseg.RandomResize', scale=(500, 500), ratio_range=(0.5, 2.0),
         keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg.RandomCrop', crop_size=(320, 320)),
    dict(type='PackImageLevelInputs'),
]
val_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='Resize', scale=(320, 320), keep_ratio=False),
    dict(type='LoadMask'),
    dict(type='PackImageLevelInputs'),
]
tta_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='TestTimeAug', transforms=[
        [dict(type='Resize', scale=(side, side), keep_ratio=True)
         for side in (384, 512)],  # of the long side: 0.75 and 1 of 512
        [dict(type='RandomFlip', prob=0.),
         dict(type='RandomFlip', prob=1.)],
        [dict(type='LoadMaskIfAny')],
        [dict(type='mmseg.PackSegInputs')],
    ]),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
val_evaluator = [_base_.single_stage_evaluators[0],
                 _base_.single_stage_evaluators[2]]
