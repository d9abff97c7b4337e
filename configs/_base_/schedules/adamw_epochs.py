# AdamW by epochs; the best checkpoint is the one with the best validation
# mAP (MMCT supplement A).
_base_ = 'epochs.py'
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='TokenOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0.05),
    paramwise_cfg=dict(new_lr_mult=1.0, layer_decay_rate=1.0))
param_scheduler = [
    dict(type='CosineAnnealingLR', by_epoch=True, convert_to_iter_based=True)
]
train_cfg = dict(max_epochs=60, val_interval=1)
val_cfg = dict(type='ValLoop')
default_hooks = dict(
    checkpoint=dict(save_best='multi-label/mAP', rule='greater'))
custom_hooks = [
    *_base_.common_hooks,
    dict(type='LocalizationVisualizationHook', num_images=4),
]
