# MS COCO 2014 as tools/dataset_converters/coco14.py completes it.
data_root = 'data/coco2014'
coco14_train = dict(
    type='COCO14ClsDataset',
    data_root=data_root,
    data_prefix=dict(
        img_path='train2014', seg_map_path='SegmentationClass/train2014'),
    ann_file='ImageSets/train2014.txt',
    label_source=dict(type='TableLabels', file='labels_train2014.csv'))
coco14_val = dict(
    type='COCO14ClsDataset',
    data_root=data_root,
    data_prefix=dict(
        img_path='val2014', seg_map_path='SegmentationClass/val2014'),
    ann_file='ImageSets/val2014.txt',
    label_source=dict(type='TableLabels', file='labels_val2014.csv'))
# For segmentors: without image-level labels.
coco14_test = dict(
    type='COCO14Dataset',
    data_root=data_root,
    data_prefix=coco14_val['data_prefix'],
    ann_file=coco14_val['ann_file'])
