# DigitScenes through image-level labels. Masks are used for scores only.
data_root = 'data/digit_scenes'
score_classes = 'all'

train_pipeline = [
    dict(type='LoadPhoto'),
    # Digits are not mirrored: a mirrored 2 is no 2.
    dict(type='mmpretrain.RandomCrop', crop_size=64, padding=4,
         padding_mode='reflect'),
    # mmcv warns at every image with the default backend.
    dict(type='mmpretrain.ColorJitter', brightness=0.2, contrast=0.2,
         saturation=0.2, backend='cv2'),
    dict(type='mmpretrain.RandomErasing', erase_prob=0.5, mode='rand',
         min_area_ratio=0.02, max_area_ratio=0.16,
         fill_color=(127, 127, 127)),
    dict(type='PackImageLevelInputs'),
]
localize_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='PackImageLevelInputs'),
]
dataset = dict(
    type='DigitScenesDataset',
    data_root=data_root,
    data_prefix=dict(
        img_path='JPEGImages', seg_map_path='SegmentationClassAug'),
    label_source=dict(type='TableLabels', file='labels.csv'))
train_dataloader = dict(
    batch_size=32,
    num_workers=1,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(ann_file='ImageSets/Segmentation/train.txt',
                 pipeline=train_pipeline, **dataset))
val_dataloader = dict(
    batch_size=50,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(ann_file='ImageSets/Segmentation/val.txt', test_mode=True,
                 pipeline=localize_pipeline, **dataset))
val_evaluator = dict(type='MultiLabelMAP', classes=score_classes)
