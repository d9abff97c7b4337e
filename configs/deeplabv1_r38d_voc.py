# The segmentation stage of MMCT and MCTformer on PASCAL VOC 2012.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/voc12_pseudo.py',
    '_base_/models/deeplabv1_r38d.py', '_base_/schedules/deeplab.py'
]
train_dataloader = dict(
    drop_last=True, sampler=dict(type='DefaultSampler'))
