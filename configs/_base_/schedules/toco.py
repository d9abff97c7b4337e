# ToCo's schedule on VOC (section 4.1 and its training script).
max_iters = 20000
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='TokenOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=6e-5, weight_decay=0.01),
    paramwise_cfg=dict(new_lr_mult=10.0))
param_scheduler = [
    dict(type='PolyWarmupLR', max_iters=max_iters, warmup_iters=1500,
         warmup_ratio=1e-6, power=0.9)
]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters,
                 val_interval=2000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=2000,
                    max_keep_ckpts=1, save_best='seg/mIoU', rule='greater'),
    sampler_seed=dict(type='DistSamplerSeedHook'))
custom_hooks = [
    dict(type='NonFiniteLossHook'),
    # The decoder learns once the maps are good.
    dict(type='LateLossesHook', after=2000,
         weights=dict(seg=0.1, energy=0.05)),
]
log_processor = dict(by_epoch=False)
