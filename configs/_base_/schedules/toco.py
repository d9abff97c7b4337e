# ToCo's schedule on VOC (section 4.1 and its training script): 20,000
# iterations, the first 1,500 to warm up.
_base_ = 'iterations.py'
param_scheduler = [
    dict(type='PolyWarmupLR', warmup_iters=1500, warmup_ratio=1e-6, power=0.9,
         by_epoch=False)
]
default_hooks = dict(checkpoint=dict(save_best='seg/mIoU', rule='greater'))
custom_hooks = [
    *_base_.common_hooks,
    # The decoder learns once the maps are good.
    dict(type='LateLossesHook', after=2000,
         weights=dict(seg=0.1, energy=0.05)),
]
