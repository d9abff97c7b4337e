# PASCAL VOC 2012 with SBD's additional images, as
# tools/dataset_converters/voc12.py completes it.
data_root = 'data/VOCdevkit/VOC2012'
voc12_train = dict(
    type='VOC12ClsDataset',
    data_root=data_root,
    data_prefix=dict(
        img_path='JPEGImages', seg_map_path='SegmentationClassAug'),
    ann_file='ImageSets/Segmentation/train_aug.txt',
    label_source=dict(type='NpyLabels', file='cls_labels.npy'))
voc12_val = dict(voc12_train, ann_file='ImageSets/Segmentation/val.txt')
# For segmentors: without image-level labels.
voc12_test = dict(
    type='VOC12Dataset',
    data_root=data_root,
    data_prefix=voc12_val['data_prefix'],
    ann_file=voc12_val['ann_file'])
