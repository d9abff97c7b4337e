# ResNet38d as a classifier on MS COCO 2014; DeepLab-V1 starts from it.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/coco14_cls.py',
    '_base_/generation.py', '_base_/r38d_cls.py'
]
model = dict(num_classes=80)
train_pipeline = _base_.crop_pipeline
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
