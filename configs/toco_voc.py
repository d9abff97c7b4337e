# ToCo on PASCAL VOC 2012: localization and segmentation trained together.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/voc12_toco.py',
    '_base_/generation.py', '_base_/models/toco_vit-b.py',
    '_base_/schedules/toco.py'
]
