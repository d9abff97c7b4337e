# CLIP-ES (CVPR 2023): gradients of CLIP's last layer, spread along the
# attention of the last eight layers. Numbers: its published code.
_base_ = 'clip_vit-b.py'
model = dict(
    type='CLIPLocalizer',
    data_preprocessor=dict(
        # CLIP's own, of 255.
        mean=[122.7709383, 116.7460125, 104.09373615],
        std=[68.5005327, 66.6321579, 70.32316305],
        size_divisor=16),
    class_evidence=dict(type='TextGradCAM', scale=100.),
    test_cfg=dict(scales=(1.0, ), flip=False))
