# PSA (CVPR 2018): AffinityNet on ResNet38d with PSA's ImageNet weights (its
# published .pth). Train it with tools/train.py, apply it with
# tools/gen_pseudo.py ... --maps DIR.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/voc12_maps.py',
    '_base_/generation.py', '_base_/models/imagenet_preprocessor.py',
    '_base_/schedules/sgd_epochs.py'
]
pretrained = 'data/res38_cls.pth'
model = dict(
    type='PSA',
    data_preprocessor=dict(pad_val=0, seg_pad_val=255, size=(448, 448)),
    backbone=dict(type='ResNet38d', pretrained=pretrained),
    loss=dict(radius=5),  # published code
    # published code: background (1 - map)^16, affinity^8, 2^8 steps
    test_cfg=dict(alpha=16, radius=5, beta=8, exp_times=8))
# Two backgrounds, (1 - map)^alpha: a strong one for sure classes, a weak one
# for sure background (published code: alpha 4 and 32).
confident_labels = dict(
    _base_.confident_labels,
    foreground=dict(type='DenseCRF', alpha=4),
    background=dict(type='DenseCRF', alpha=32))
train_pipeline = [
    *_base_.load_maps,
    confident_labels,
    dict(_base_.map_resize, ratio_range=(0.9, 1.5)),
    dict(_base_.map_crop, crop_size=(448, 448)),
    *_base_.flip_and_pack,
]
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=train_pipeline))
train_cfg = dict(max_epochs=8)
# The new layers learn ten times as fast (published code).
optim_wrapper = dict(
    optimizer=dict(weight_decay=5e-4),
    paramwise_cfg=dict(custom_keys={
        'taps': dict(lr_mult=10.), 'joint': dict(lr_mult=10.)}))
