# Single-stage training from image-level labels: views and crops of ToCo, maps
# and decoder scored together. A data set is laid over it, as in
# voc12_toco.py.
_base_ = ['cls.py', 'segmentor_test.py']
train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='PhotometricView', to='second_view', crop_size=448, blur=0.1,
         solarize=0.2),
    # Half to twice the size of VOC's photos.
    dict(type='mmseg.RandomResize', scale=(500, 500), ratio_range=(0.5, 2.0),
         keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg.RandomCrop', crop_size=(448, 448)),
    dict(type='PhotometricView', to='local_view', blur=0.5),
    dict(type='PhotometricView', to='img', blur=1.0),
    dict(type='PackImageLevelInputs'),
]
val_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='Resize', scale=(448, 448), keep_ratio=False),
    dict(type='LoadMask'),
    dict(type='PackImageLevelInputs'),
]
tta_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='TestTimeAug', transforms=[
        [dict(type='Resize', scale_factor=s, keep_ratio=True)
         for s in (1.0, 1.25, 1.5)],
        [dict(type='RandomFlip', prob=0.),
         dict(type='RandomFlip', prob=1.)],
        [dict(type='LoadMaskIfAny')],
        [dict(type='mmseg.PackSegInputs')],
    ]),
]
train_dataloader = dict(
    batch_size=4,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
val_evaluator = _base_.single_stage_evaluators
