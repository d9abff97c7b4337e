# DigitScenes, as tools/dataset_converters/digit_scenes.py draws them.
data_root = 'data/digit_scenes'
digits_train = dict(
    type='DigitScenesDataset',
    data_root=data_root,
    data_prefix=dict(
        img_path='JPEGImages', seg_map_path='SegmentationClassAug'),
    ann_file='ImageSets/Segmentation/train.txt',
    label_source=dict(type='TableLabels', file='labels.csv'))
digits_val = dict(
    digits_train, ann_file='ImageSets/Segmentation/val.txt', test_mode=True)
# The scenes do not have photos' statistics.
digits_statistics = dict(mean=[127.] * 3, std=[60.] * 3)
