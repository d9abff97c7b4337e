# LargeFOV on DeiT-tiny, trained on pseudo masks of COCO 2014.
_base_ = [
    '_base_/default_runtime.py', '_base_/datasets/coco14_pseudo.py',
    '_base_/models/largefov_vit.py', '_base_/schedules/iterations.py'
]
model = dict(decode_head=dict(num_classes=81))
