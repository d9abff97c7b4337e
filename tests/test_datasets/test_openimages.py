"""OpenImages30k's class names come with the data; see its converter."""
import os

from mmwsss.registry import DATASETS


def test_classes_of_the_folder(shapes):
    with open(os.path.join(shapes, 'classes.txt'), 'w') as file:
        file.write('blue\nred\n')
    options = dict(
        type='OpenImagesDataset', data_root=shapes,
        data_prefix=dict(img_path='JPEGImages'), ann_file='lists/train.txt',
        label_source=dict(type='TableLabels', file='labels.csv'))
    data = DATASETS.build(dict(options))
    assert data.metainfo['classes'] == ('background', 'blue', 'red')
    assert data.labels[0].tolist() == [0, 1]
    data = DATASETS.build(dict(
        options, metainfo=dict(classes=('background', 'red', 'blue'))))
    assert data.labels[0].tolist() == [1, 0]
