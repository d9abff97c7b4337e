# MS COCO 2014, seen through image-level labels. Masks are used for scores
# only.
_base_ = ['cls.py', 'coco14.py', '../evaluators.py']
train_dataloader = dict(dataset=_base_.coco14_train)
val_dataloader = dict(dataset=_base_.coco14_val)
val_evaluator = _base_.label_evaluator
