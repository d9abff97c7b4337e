# ToCo's baseline (Table 3): the same ViT without the two contrasts.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/voc12_toco.py',
    '_base_/generation.py', '_base_/models/single_stage_vit-b.py',
    '_base_/schedules/toco.py'
]
model = dict(type='PatchTokenCAM')
