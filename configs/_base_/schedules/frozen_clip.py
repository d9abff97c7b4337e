# WeCLIP's and ExCEL's schedule (their published codes): AdamW, 50 iterations
# to warm up, then linearly to 0. A method sets train_cfg.max_iters.
_base_ = 'iterations.py'
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    # Ten times the stated rate: all that is trained is new.
    optimizer=dict(type='AdamW', lr=2e-3, betas=(0.9, 0.999),
                   weight_decay=0.01))
param_scheduler = [
    dict(type='PolyWarmupLR', warmup_iters=50, warmup_ratio=1e-6, power=1.0,
         by_epoch=False)
]
default_hooks = dict(checkpoint=dict(save_best='seg/mIoU', rule='greater'))
