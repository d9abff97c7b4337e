# ExCEL with the data, the stand-in for CLIP and the schedule of
# weclip_deit-tiny_voc.py. The published numbers are in excel_voc.py.
_base_ = 'excel_voc.py'
pretrained = 'work_dirs/clip_stand_in/clip.pth'
text_embeddings = 'work_dirs/clip_stand_in/text.npz'
model = dict(
    data_preprocessor=dict(size=(224, 224)),
    backbone=dict(arch='deit-tiny', out_channels=192, activation='GELU',
                  pretrained=pretrained),
    class_evidence=dict(text_embeddings=text_embeddings),
    radius=4,
    refine_after=500,
    calibrate_after=500,
    predicted_after=800)
train_pipeline = [
    dict(step, scale=(320, 320), ratio_range=(0.75, 1.5))
    if step.type == 'mmseg.RandomResize' else
    dict(step, crop_size=(224, 224)) if step.type == 'mmseg.RandomCrop'
    else step for step in _base_.train_pipeline
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
train_cfg = dict(max_iters=1000, val_interval=1000)
default_hooks = dict(checkpoint=dict(interval=500))
