# ToCo for a laptop: DeiT-tiny, 224 px, 2,000 iterations of 4 photos, for
# photos of 320 px and two CPU cores. The paper's numbers are in toco_voc.py.
_base_ = 'toco_voc.py'
pretrained = 'https://dl.fbaipublicfiles.com/deit/deit_tiny_patch16_224-a1311bcf.pth'  # noqa: E501
model = dict(
    data_preprocessor=dict(size=(224, 224)),
    backbone=dict(arch='deit-tiny', pretrained=pretrained),
    # Smaller photos, smaller crops: four patches a side.
    num_crops=6, crop_size=64,
    projection=dict(hidden_channels=512),
    # One scale: the maps take half of the time of a training step.
    test_cfg=dict(scales=(1.0, )))
train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='PhotometricView', to='second_view', crop_size=224, blur=0.1,
         solarize=0.2),
    dict(type='mmseg.RandomResize', scale=(320, 320), ratio_range=(0.75, 1.5),
         keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg.RandomCrop', crop_size=(224, 224)),
    dict(type='PhotometricView', to='local_view', blur=0.5),
    dict(type='PhotometricView', to='img'),
    dict(type='PackImageLevelInputs'),
]
val_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='Resize', scale=(256, 256), keep_ratio=False),
    dict(type='LoadMask'),
    dict(type='PackImageLevelInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
optim_wrapper = dict(optimizer=dict(lr=1e-4))
param_scheduler = [dict(_base_.param_scheduler[0], warmup_iters=150)]
train_cfg = dict(max_iters=2000, val_interval=500)
default_hooks = dict(checkpoint=dict(interval=500))
custom_hooks = [
    *_base_.common_hooks,
    # The contrasts learn from the maps: from when there are some.
    dict(type='LateLossesHook', after=500,
         weights=dict(ptc=0.2, ctc=0.1, seg=0.1, energy=0.05)),
]
