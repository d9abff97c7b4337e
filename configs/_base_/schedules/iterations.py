# AdamW by iterations, polynomial decay; for segmentation networks, with ToCo's
# numbers (section 4.1 and its training script). A schedule sets
# train_cfg.max_iters; param_scheduler ends with the training, because the
# Runner fills in the `end` that is left out.
_base_ = 'hooks.py'
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='TokenOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=6e-5, weight_decay=0.01),
    paramwise_cfg=dict(new_lr_mult=10.0))
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=0., begin=0, by_epoch=False)
]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=20000,
                 val_interval=2000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
default_hooks = dict(
    logger=dict(interval=50, log_metric_by_epoch=False),
    checkpoint=dict(by_epoch=False, interval=2000))
log_processor = dict(by_epoch=False)
