# SGD for CNNs that learn image-level labels: the classifier learns ten times
# as fast; the best checkpoint is the one with the best validation mAP.
_base_ = 'sgd_epochs.py'
optim_wrapper = dict(
    paramwise_cfg=dict(custom_keys=dict(classifier=dict(lr_mult=10.))))
val_cfg = dict(type='ValLoop')
default_hooks = dict(
    checkpoint=dict(save_best='multi-label/mAP', rule='greater'))
