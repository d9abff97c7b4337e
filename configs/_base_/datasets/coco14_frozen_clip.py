# MS COCO 2014 for training on a frozen encoder from image-level labels. Masks
# are used for scores only.
_base_ = ['frozen_clip.py', 'coco14.py']
# Half to twice the size of COCO's photos.
train_pipeline = [
    dict(step, scale=(640, 640)) if step.type == 'mmseg.RandomResize'
    else step for step in _base_.train_pipeline
]
train_dataloader = dict(
    dataset=dict(_base_.coco14_train, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(_base_.coco14_val, indices=5000))
test_dataloader = dict(dataset=_base_.coco14_test)
submission = None  # the server is VOC's
