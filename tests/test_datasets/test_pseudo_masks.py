"""Pseudo masks and their photos."""
import os.path as osp

import numpy as np
import pytest
from PIL import Image
from shapes import pseudo_mask_config

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
