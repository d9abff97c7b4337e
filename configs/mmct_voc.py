# MMCT on PASCAL VOC 2012.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/voc12_cls.py',
    '_base_/generation.py', '_base_/models/mmct_vit-b.py',
    '_base_/schedules/adamw_epochs.py'
]
