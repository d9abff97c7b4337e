# MS COCO 2014 for single-stage training from image-level labels. Masks are
# used for scores only.
_base_ = ['toco.py', 'coco14.py']
# Half to twice the size of COCO's photos.
train_pipeline = [
    dict(step, scale=(640, 640)) if step.type == 'mmseg.RandomResize'
    else step for step in _base_.train_pipeline
]
train_dataloader = dict(
    batch_size=8,  # 4 x 2 in the published code
    dataset=dict(_base_.coco14_train, pipeline=train_pipeline))
# The published code validates on 5,000 images, too.
val_dataloader = dict(dataset=dict(_base_.coco14_val, indices=5000))
test_dataloader = dict(dataset=_base_.coco14_test)
submission = None  # the server is VOC's
