# ResNet38d as a classifier on PASCAL VOC 2012; DeepLab-V1 starts from it. Its
# class activation maps are PSA's seed: tools/gen_pseudo.py
# configs/r38d_cls_voc.py CKPT.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/voc12_cls.py',
    '_base_/generation.py', '_base_/r38d_cls.py'
]
train_pipeline = _base_.crop_pipeline
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
