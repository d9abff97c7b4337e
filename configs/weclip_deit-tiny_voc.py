# WeCLIP for a laptop and without CLIP's weights: on a DeiT-tiny in CLIP's
# layout, whose text is a linear probe (benchmarks/clip_stand_in.py writes both
# files), 224 px, 1,000 iterations. The published numbers are in
# weclip_voc.py.
_base_ = 'weclip_voc.py'
pretrained = 'work_dirs/clip_stand_in/clip.pth'
text_embeddings = 'work_dirs/clip_stand_in/text.npz'
model = dict(
    data_preprocessor=dict(size=(224, 224)),
    backbone=dict(arch='deit-tiny', out_channels=192, activation='GELU',
                  pretrained=pretrained),
    class_evidence=dict(text_embeddings=text_embeddings),
    radius=4,
    refine_after=500)
train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='mmseg.RandomResize', scale=(320, 320), ratio_range=(0.75, 1.5),
         keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg.RandomCrop', crop_size=(224, 224)),
    dict(type='PackImageLevelInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
train_cfg = dict(max_iters=1000, val_interval=1000)
default_hooks = dict(checkpoint=dict(interval=500))
