# OpenImages30k (Choe et al., CVPR 2020) seen through image-level labels, as
# tools/dataset_converters/openimages.py lays it out. Masks are used for scores
# only; train has none.
data_root = 'data/openimages30k'

train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='mmpretrain.RandomResizedCrop', scale=224,
         crop_ratio_range=(0.2, 1.0), interpolation='bicubic'),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackImageLevelInputs'),
]
# Choe et al. localize and score at 224 x 224; maps are written at the size of
# the photo.
localize_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='Resize', scale=(224, 224), keep_ratio=False),
    dict(type='PackImageLevelInputs'),
]
dataset = dict(
    type='OpenImagesDataset',
    data_root=data_root,
    data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
    label_source=dict(type='TableLabels', file='labels.csv'))
train_dataloader = dict(
    batch_size=16,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(ann_file='ImageSets/Segmentation/train.txt',
                 pipeline=train_pipeline, **dataset))
val_dataloader = dict(
    batch_size=16,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(ann_file='ImageSets/Segmentation/val.txt', test_mode=True,
                 pipeline=localize_pipeline, **dataset))
val_evaluator = dict(type='MultiLabelMAP')
test_list = 'ImageSets/Segmentation/test.txt'  # for tools/gen_pseudo.py
