# Second stage for a laptop: LargeFOV on DeiT-tiny, trained on pseudo masks.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/voc12_pseudo.py',
    '_base_/models/largefov_vit.py', '_base_/schedules/iterations.py'
]
max_iters = 1000
param_scheduler = [
    dict(type='PolyLR', power=0.9, eta_min=0., begin=0, end=max_iters,
         by_epoch=False)
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
default_hooks = dict(checkpoint=dict(interval=max_iters))
pseudo_masks = 'work_dirs/mmct_deit-tiny_voc/pseudo/train/masks'
train_dataloader = dict(dataset=dict(masks=pseudo_masks))
