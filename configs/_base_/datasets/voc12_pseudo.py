# PASCAL VOC 2012: train on pseudo masks, test on the real ones.
data_root = 'data/VOCdevkit/VOC2012'
pseudo_masks = 'work_dirs/mmct_voc/pseudo/train/masks'
score_classes = 'all'

train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='mmseg.LoadAnnotations', imdecode_backend='pillow'),
    dict(type='mmseg.RandomResize', scale=(320, 320), ratio_range=(0.5, 1.5),
         keep_ratio=True),
    dict(type='mmseg.RandomCrop', crop_size=(224, 224), cat_max_ratio=0.9),
    dict(type='RandomFlip', prob=0.5),
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
        [dict(type='Resize', scale_factor=s, keep_ratio=True)
         for s in (0.75, 1.0, 1.5)],
        [dict(type='RandomFlip', prob=0.),
         dict(type='RandomFlip', prob=1.)],
        [dict(type='LoadMaskIfAny')],
        [dict(type='mmseg.PackSegInputs')],
    ]),
]
train_dataloader = dict(
    batch_size=16,
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
        type='mmseg.PascalVOCDataset',
        data_root=data_root,
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClassAug'),
        ann_file='ImageSets/Segmentation/val.txt',
        pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(
    type='ClassSubsetIoU', iou_metrics=['mIoU'], classes=score_classes)
test_evaluator = val_evaluator
