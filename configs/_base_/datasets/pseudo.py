# Train on pseudo masks, test on real ones. A data set is laid over it, as in
# voc12_pseudo.py.
_base_ = 'segmentor_test.py'
train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='LoadMask'),
    # 0.7 to 1.3 of the size of VOC's photos, whose longer side is 500 px
    # (MMCT supplement A).
    dict(type='mmseg.RandomResize', scale=(500, 500), ratio_range=(0.7, 1.3),
         keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg.RandomCrop', crop_size=(321, 321)),
    dict(type='mmseg.PackSegInputs'),
]
tta_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='TestTimeAug', transforms=[
        # MMCT supplement A
        [dict(type='Resize', scale_factor=s, keep_ratio=True)
         for s in (0.75, 1.0, 1.5)],
        [dict(type='LoadMaskIfAny')],
        [dict(type='mmseg.PackSegInputs')],
    ]),
]
train_dataloader = dict(
    batch_size=4,  # MMCT supplement A
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(type='PseudoMaskDataset', pipeline=train_pipeline))
val_dataloader = _base_.test_dataloader
val_evaluator = _base_.mask_evaluator
# MCTformer's code for the test: smoothing and appearance of the CRF.
test_crf = dict(iterations=10, gaussian_sxy=4, gaussian_compat=3,
                bilateral_sxy=83, bilateral_srgb=5, bilateral_compat=3)
