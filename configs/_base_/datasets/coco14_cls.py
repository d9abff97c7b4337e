# MS COCO 2014, seen through image-level labels. Masks are used for scores
# only.
_base_ = ['voc12_cls.py', 'coco14.py']
data_root = 'data/coco2014'
train_dataloader = dict(dataset=_base_.coco14_train)
val_dataloader = dict(dataset=_base_.coco14_val)
