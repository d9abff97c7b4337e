# PASCAL VOC 2012: train on pseudo masks, test on the real ones.
_base_ = 'voc12_submission.py'
data_root = 'data/VOCdevkit/VOC2012'
pseudo_masks = 'work_dirs/mmct_voc/pseudo/train/masks'
score_classes = 'all'

train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='mmseg.LoadAnnotations', imdecode_backend='pillow'),
    # 0.7 to 1.3 of the size of VOC's photos, whose longer side is 500 px
    # (MMCT supplement A).
    dict(type='mmseg.RandomResize', scale=(500, 500), ratio_range=(0.7, 1.3),
         keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg.RandomCrop', crop_size=(321, 321)),
    dict(type='mmseg.PackSegInputs'),
]
test_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='LoadMaskIfAny'),
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
    dataset=dict(
        type='PseudoMaskDataset',
        classes_of='VOC12ClsDataset',
        masks=pseudo_masks,
        data_root=data_root,
        data_prefix=dict(img_path='JPEGImages'),
        ann_file='ImageSets/Segmentation/train_aug.txt',
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='VOC12Dataset',
        data_root=data_root,
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClassAug'),
        ann_file='ImageSets/Segmentation/val.txt',
        pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(
    type='ClassSubsetIoU', iou_metrics=['mIoU'], classes=score_classes)
test_evaluator = val_evaluator
# MCTformer's code for the test: smoothing and appearance of the CRF.
test_crf = dict(iterations=10, gaussian_sxy=4, gaussian_compat=3,
                bilateral_sxy=83, bilateral_srgb=5, bilateral_compat=3)
