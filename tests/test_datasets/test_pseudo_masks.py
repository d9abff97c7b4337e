"""Pseudo masks and their photos."""
import os.path as osp

import numpy as np
import pytest
from PIL import Image
from shapes import CLASSES, pseudo_mask_config

from mmwsss.problems import DataError
from mmwsss.registry import DATASETS


def build_pseudo(root, **kwargs):
    return DATASETS.build(pseudo_mask_config(root, **kwargs))


def test_values_that_are_no_class(shapes):
    path = osp.join(shapes, 'SegmentationClassAug', 'img6.png')
    mask = np.asarray(Image.open(path)).copy()
    mask[0, 0] = 255
    Image.fromarray(mask).save(path)
    assert len(build_pseudo(shapes)) == 8
    mask[0, 1] = 3
    Image.fromarray(mask).save(path)
    with pytest.raises(DataError, match='img6.png: value 3, but there are 3'):
        build_pseudo(shapes)


def test_a_mask_is_found_by_the_name_of_its_photo(shapes):
    data = build_pseudo(shapes)
    folder = osp.join(shapes, 'SegmentationClassAug')
    assert [data.get_data_info(i)['seg_map_path'] for i in range(8)] == [
        osp.join(folder, f'img{i}.png') for i in range(8)]
    data = build_pseudo(shapes, classes_of='VOC12ClsDataset')
    assert data.metainfo['classes'][1] == 'aeroplane'


def test_a_missing_folder_of_masks_is_named(shapes):
    with pytest.raises(DataError, match='no folder of pseudo masks .*none; '
                       'write them with tools/gen_pseudo.py'):
        build_pseudo(shapes, masks=osp.join(shapes, 'none'))


def remap(root, function):
    folder = osp.join(root, 'SegmentationClassAug')
    for i in range(8):
        path = osp.join(folder, f'img{i}.png')
        mask = function(np.asarray(Image.open(path)))
        Image.fromarray(mask.astype(np.uint8)).save(path)


@pytest.mark.parametrize('function, message', [
    (lambda mask: mask * 0 + 255, 'all pixels of all masks are 255'),
    (lambda mask: mask * 0, "all masks are 'background'; choose another"),
    (lambda mask: 255 * (mask > 0), "'background' or 255"),
    (lambda mask: mask * 0 + 1, "all masks are 'red'"),
    (lambda mask: np.array([0, 38, 75])[mask], r'img0.png: value 38'),
    (lambda mask: 128 * (mask > 0), 'img7.png: value 128')])
def test_masks_that_teach_nothing_are_named(shapes, function, message):
    remap(shapes, function)
    with pytest.raises(DataError, match=message):
        build_pseudo(shapes)


@pytest.mark.parametrize('function, message', [
    (lambda mask: mask * 0 + 255, 'no true mask has a known pixel'),
    (lambda mask: 255 * (mask > 0), 'masks of 0 and 255'),
    (lambda mask: np.array([0, 38, 75])[mask], 'img0.png: value 38')])
@pytest.mark.parametrize('load', ['LoadMask', 'mmseg.LoadAnnotations'])
def test_true_masks_that_a_pipeline_reads(shapes, function, message, load):
    """A photo's masks for scores only are read where they are used."""
    remap(shapes, function)
    options = dict(type='ImageLevelDataset', data_root=shapes,
                   metainfo=CLASSES, ann_file='lists/train.txt',
                   data_prefix=dict(img_path='JPEGImages',
                                    seg_map_path='SegmentationClassAug'),
                   label_source=dict(type='TableLabels', file='labels.csv'))
    assert len(DATASETS.build(dict(options, pipeline=[]))) == 8
    for pipeline in ([dict(type=load)], [dict(
            type='mmcv.TestTimeAug', transforms=[[dict(type=load)]])]):
        with pytest.raises(DataError, match=message):
            DATASETS.build(dict(options, pipeline=pipeline))


def test_masks_of_a_part_of_the_classes(shapes):
    """Mmseg's label map says which values are no class any more."""
    options = dict(type='DigitScenesDataset', data_root=shapes,
                   ann_file='lists/train.txt', pipeline=[
                       dict(type='LoadPhoto'), dict(type='LoadMask')],
                   data_prefix=dict(img_path='JPEGImages',
                                    seg_map_path='SegmentationClassAug'),
                   label_source=dict(type='MaskLabels', allow_empty=True),
                   metainfo=dict(classes=('background', '1'), palette=[
                       [0, 0, 0], [9, 9, 9]]))
    data = DATASETS.build(options)
    # 1 is the digit 0, which is none of the classes; 2 is the digit 1.
    assert data.labels.ravel().tolist() == [0, 1] * 4
    assert np.unique(data[1]['gt_seg_map']).tolist() == [0, 1]
    assert np.unique(data[0]['gt_seg_map']).tolist() == [0, 255]


@pytest.mark.parametrize('count', [255, 300])
def test_more_classes_than_masks_can_hold(shapes, count):
    names = ('background', *(f'c{i}' for i in range(count)))
    with pytest.raises(DataError, match=f'metainfo.classes: {count + 1} '
                       'classes with background, but masks have 8 bits'):
        build_pseudo(shapes, metainfo=dict(classes=names, palette=[]))
