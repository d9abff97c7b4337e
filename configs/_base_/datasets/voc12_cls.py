# PASCAL VOC 2012 with SBD's additional images, seen through image-level
# labels. Masks are used for scores only.
_base_ = ['cls.py', 'voc12.py', '../evaluators.py']
train_dataloader = dict(dataset=_base_.voc12_train)
val_dataloader = dict(dataset=_base_.voc12_val)
val_evaluator = _base_.label_evaluator
