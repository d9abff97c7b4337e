# The segmentation stage of MMCT and MCTformer on MS COCO 2014.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/coco14_pseudo.py',
    '_base_/models/deeplabv1_r38d.py', '_base_/schedules/deeplab.py'
]
pretrained = 'work_dirs/r38d_cls_coco/epoch_15.pth'
model = dict(backbone=dict(pretrained=pretrained),
             decode_head=dict(num_classes=81))
train_dataloader = dict(
    drop_last=True, sampler=dict(type='DefaultSampler'))
