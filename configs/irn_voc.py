# IRN (CVPR 2019): class boundaries learned from a localizer's maps; ResNet50
# with ImageNet weights. Train it with tools/train.py, apply it with
# tools/gen_pseudo.py ... --maps DIR.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/voc12_maps.py',
    '_base_/generation.py', '_base_/models/imagenet_preprocessor.py',
    '_base_/schedules/sgd_epochs.py'
]
pretrained = 'https://download.pytorch.org/models/resnet50-19c8e357.pth'
model = dict(
    type='IRN',
    data_preprocessor=dict(pad_val=0, seg_pad_val=255, size=(512, 512)),
    backbone=dict(type='ResNetTaps', pretrained=pretrained),
    loss=dict(radius=10),  # published code
    # section 5.1: beta = 10, t = 256 steps; radius in the published code
    test_cfg=dict(radius=5, beta=10, exp_times=8))
# The branch of the displacements learns ten times as fast (published code).
optim_wrapper = dict(
    paramwise_cfg=dict(custom_keys=dict(displacement=dict(lr_mult=10.))))
custom_hooks = [*_base_.common_hooks, dict(type='DisplacementMeanHook')]
