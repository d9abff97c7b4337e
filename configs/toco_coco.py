# ToCo on MS COCO 2014: 80,000 iterations. What differs from toco_voc.py is
# from its published COCO script; docs/toco.md says what of it is left out.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/coco14_toco.py',
    '_base_/generation.py', '_base_/models/toco_vit-b.py',
    '_base_/schedules/toco.py'
]
num_classes = 80
model = dict(
    num_classes=num_classes,
    thresholds=(0.25, 0.65),
    crop_contrast=dict(temperature=1.0),
    test_cfg=dict(background=0.45))
train_cfg = dict(max_iters=80000, val_interval=4000)
default_hooks = dict(checkpoint=dict(interval=4000))
custom_hooks = [
    *_base_.common_hooks,
    # First the classifier, then the decoder, then the contrasts.
    dict(type='LateLossesHook', after=8000,
         weights=dict(seg=0.1, energy=0.05)),
    dict(type='LateLossesHook', after=12000, weights=dict(ptc=0.2, ctc=0.5)),
]
