# ExCEL (CVPR 2025): maps without gradients, calibrated by the decoder.
_base_ = 'frozen_clip.py'
model = dict(
    class_evidence=dict(type='TextSurgery', num_layers=5),
    fusion=dict(num_levels=12),
    affinity=dict(normalize=True, gain=3.))
# Its code.
test_crf = dict(iterations=10, gaussian_sxy=1, gaussian_compat=3,
                bilateral_sxy=67, bilateral_srgb=3, bilateral_compat=4)
