# ExCEL (CVPR 2025): maps without gradients, calibrated by the decoder.
_base_ = 'frozen_clip.py'
model = dict(
    class_evidence=dict(type='TextSurgery', num_layers=5),
    fusion=dict(num_levels=12),
    affinity=dict(normalize=True, gain=3.))
# Its code.
test_crf = dict(iterations=10, gaussian_sxy=1, gaussian_compat=3,
                bilateral_sxy=67, bilateral_srgb=3, bilateral_compat=4)
# What both data sets are tested on: squares of 0.7, 1.0, 1.2, 1.5 of 320 px.
square_views = [
    dict(type='LoadPhoto'),
    dict(type='TestTimeAug', transforms=[
        [dict(type='Resize', scale=(side, side), keep_ratio=False)
         for side in (224, 320, 384, 480)],
        [dict(type='RandomFlip', prob=0.),
         dict(type='RandomFlip', prob=1.)],
        [dict(type='LoadMaskIfAny')],
        [dict(type='mmseg.PackSegInputs')],
    ]),
]
