# PASCAL VOC 2012 for training on a frozen encoder from image-level labels.
# Masks are used for scores only.
_base_ = ['frozen_clip.py', 'voc12.py', 'voc12_submission.py']
train_dataloader = dict(dataset=_base_.voc12_train)
val_dataloader = dict(dataset=_base_.voc12_val)
test_dataloader = dict(dataset=_base_.voc12_test)
