# ResNet38d as a classifier on MS COCO 2014; DeepLab-V1 starts from it.
_base_ = ['r38d_cls_voc.py', '_base_/datasets/coco14.py']
data_root = 'data/coco2014'
model = dict(num_classes=80)
train_dataloader = dict(dataset=_base_.coco14_train)
val_dataloader = dict(dataset=_base_.coco14_val)
