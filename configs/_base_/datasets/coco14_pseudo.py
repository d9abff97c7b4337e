# MS COCO 2014: train on pseudo masks, test on the real ones.
_base_ = ['pseudo.py', 'coco14.py']
pseudo_masks = 'work_dirs/mmct_coco/pseudo/train/masks'
# The longer side of COCO's photos.
train_pipeline = [
    dict(step, scale=(640, 640)) if step.type == 'mmseg.RandomResize'
    else step for step in _base_.train_pipeline
]
train_dataloader = dict(dataset=dict(
    classes_of='COCO14ClsDataset',
    masks=pseudo_masks,
    data_root=_base_.data_root,
    data_prefix=dict(img_path='train2014'),
    ann_file='ImageSets/train2014.txt',
    pipeline=train_pipeline))
val_dataloader = dict(dataset=_base_.coco14_test)
test_dataloader = val_dataloader
submission = None  # the server is VOC's
