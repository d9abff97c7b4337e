"""PASCAL VOC 2012 with image-level labels."""
from mmwsss.registry import DATASETS


def test_voc_mini_labels(test_data):
    data = DATASETS.build(dict(
        type='VOC12ClsDataset', data_root=test_data('voc_mini'),
        data_prefix=dict(img_path='JPEGImages',
                         seg_map_path='SegmentationClassAug'),
        ann_file='ImageSets/Segmentation/val.txt',
        label_source=dict(type='NpyLabels', file='cls_labels.npy')))
    assert len(data) == 222
    dog = data.metainfo['classes'].index('dog') - 1
    assert data.labels[:, dog].sum() == 62
