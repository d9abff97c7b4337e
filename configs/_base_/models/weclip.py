# WeCLIP (CVPR 2024): gradients, spread along attention that the decoder's
# affinity refines.
_base_ = 'frozen_clip.py'
model = dict(
    class_evidence=dict(type='TextGradCAM', scale=100.),
    fusion=dict(num_levels=11))  # all layers but the last
# Its code.
test_crf = dict(iterations=10, gaussian_sxy=3, gaussian_compat=3,
                bilateral_sxy=64, bilateral_srgb=5, bilateral_compat=4)
