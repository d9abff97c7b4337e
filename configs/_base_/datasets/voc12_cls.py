# PASCAL VOC 2012 with SBD's additional images, seen through image-level
# labels. Masks are used for scores only.
data_root = 'data/VOCdevkit/VOC2012'
score_classes = 'all'  # or a list of names: the mean of all reported scores

train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='mmpretrain.RandomResizedCrop', scale=224,
         crop_ratio_range=(0.2, 1.0), interpolation='bicubic'),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackImageLevelInputs'),
]
# At its own size: maps are made for every pixel of the photo.
localize_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='PackImageLevelInputs'),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='VOC12ClsDataset',
        data_root=data_root,
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClassAug'),
        ann_file='ImageSets/Segmentation/train_aug.txt',
        label_source=dict(type='NpyLabels', file='cls_labels.npy'),
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='VOC12ClsDataset',
        data_root=data_root,
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClassAug'),
        ann_file='ImageSets/Segmentation/val.txt',
        label_source=dict(type='NpyLabels', file='cls_labels.npy'),
        test_mode=True,
        pipeline=localize_pipeline))
val_evaluator = dict(type='MultiLabelMAP', classes=score_classes)
