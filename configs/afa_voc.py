# AFA (CVPR 2022) on ToCo's ViT: affinity learned from self-attention spreads
# the maps that the segmentation learns from. No contrasts.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/voc12_toco.py',
    '_base_/generation.py', '_base_/models/single_stage_vit-b.py',
    '_base_/schedules/toco.py'
]
model = dict(
    type='AFA',
    # These and the weights: its code.
    attention_affinity=dict(num_layers=2, radius=8, power=2., warmup=4000),
    thresholds=(0.35, 0.55),
    test_cfg=dict(maps='affinity', background=0.45))
val_evaluator = [
    *_base_.single_stage_evaluators[:2],
    dict(_base_.mask_evaluator, prefix='affinity_cam',
         field='pred_affinity_cam'),
    _base_.single_stage_evaluators[2],
]
custom_hooks = [
    *_base_.common_hooks,
    dict(type='LateLossesHook', after=2000,
         weights=dict(seg=0.1, energy=0.01, affinity=0.1)),
]
