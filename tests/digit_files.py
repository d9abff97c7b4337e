"""A small DigitScenes, and its data set."""
from mmwsss.registry import DATASETS

# Of the fixture ``scenes``.
SMALL = dict(num_train=12, num_val=6, size=64)


def build_digits(root, split='train', label_source=None):
    """The data set of a split, its labels from the table or as given."""
    return DATASETS.build(dict(
        type='DigitScenesDataset',
        data_root=root,
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClassAug'),
        ann_file=f'ImageSets/Segmentation/{split}.txt',
        label_source=label_source or dict(
            type='TableLabels', file='labels.csv'),
        pipeline=[dict(type='LoadPhoto'),
                  dict(type='mmseg.LoadAnnotations'),
                  dict(type='PackImageLevelInputs')]))
