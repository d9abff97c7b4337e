# OpenImages30k (Choe et al., CVPR 2020) seen through image-level labels, as
# tools/dataset_converters/openimages.py lays it out. Masks are used for scores
# only; train has none.
_base_ = 'cls.py'
data_root = 'data/openimages30k'
openimages_train = dict(
    type='OpenImagesDataset',
    data_root=data_root,
    data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
    ann_file='ImageSets/Segmentation/train.txt',
    label_source=dict(type='TableLabels', file='labels.csv'))
openimages_val = dict(
    openimages_train, ann_file='ImageSets/Segmentation/val.txt')
# Choe et al. localize and score at 224 x 224; maps are written at the size of
# the photo.
localize_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='Resize', scale=(224, 224), keep_ratio=False),
    dict(type='PackImageLevelInputs'),
]
train_dataloader = dict(dataset=openimages_train)
val_dataloader = dict(
    batch_size=16, dataset=dict(openimages_val, pipeline=localize_pipeline))
val_evaluator = dict(type='MultiLabelMAP')
test_list = 'ImageSets/Segmentation/test.txt'  # for tools/gen_pseudo.py
