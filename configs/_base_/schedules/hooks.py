# What every run has. A schedule whose runs need more hooks adds them to
# common_hooks.
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook'),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', max_keep_ckpts=1),
    sampler_seed=dict(type='DistSamplerSeedHook'))
common_hooks = [dict(type='NonFiniteLossHook')]
custom_hooks = common_hooks
