# Training by epochs. A schedule sets train_cfg.max_epochs; param_scheduler
# ends with the training, because the Runner fills in the `end` that is left
# out.
_base_ = 'hooks.py'
train_cfg = dict(type='EpochBasedTrainLoop')
default_hooks = dict(
    logger=dict(interval=25), checkpoint=dict(interval=1))
log_processor = dict(by_epoch=True)
