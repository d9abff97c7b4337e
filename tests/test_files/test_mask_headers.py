"""Masks that do not fit their photos are found when a data set is built."""
import os
import os.path as osp
import re

import numpy as np
import pytest
from PIL import Image
from shapes import dataset_config, pseudo_mask_config

from mmwsss.problems import DataError
from mmwsss.registry import DATASETS


def spoil(root):
    folder = osp.join(root, 'SegmentationClassAug')
    Image.new('RGB', (64, 48)).save(osp.join(folder, 'img1.png'))
    Image.new('P', (48, 64)).save(osp.join(folder, 'img2.png'))
    with open(osp.join(folder, 'img3.png'), 'wb') as file:
        file.write(b'no picture')


def build_image_level(root, **kwargs):
    return DATASETS.build(dataset_config(root, **kwargs))


def build_pseudo(root, **kwargs):
    return DATASETS.build(pseudo_mask_config(root, **kwargs))


@pytest.mark.parametrize('build', [build_image_level, build_pseudo])
def test_all_are_reported_together(shapes, build):
    assert len(build(shapes)) == 8
    spoil(shapes)
    with pytest.raises(DataError, match=r'3 problem\(s\)') as caught:
        build(shapes)
    message = str(caught.value)
    assert 'img1.png: a mask has one index a pixel' in message
    assert 'mode RGB' in message
    assert 'img2.png: 64 x 48, but' in message
    assert 'img2.jpg is 48 x 64' in message
    assert 'img3.png: mask cannot be read' in message
    assert len(build(shapes, check_images=False)) == 8


def test_missing_ones_are_reported_with_them(shapes):
    spoil(shapes)
    os.remove(osp.join(shapes, 'JPEGImages', 'img0.jpg'))
    os.remove(osp.join(shapes, 'SegmentationClassAug', 'img4.png'))
    with pytest.raises(DataError, match=r'5 problem\(s\)') as caught:
        build_pseudo(shapes)
    assert re.search('line 1: no image .*img0.jpg', str(caught.value))
    assert re.search('line 5: no mask .*img4.png', str(caught.value))
    # Image-level training needs no masks.
    with pytest.raises(DataError, match=r'4 problem\(s\)') as caught:
        build_image_level(shapes)
    assert 'no image' in str(caught.value)
    assert 'img4.png' not in str(caught.value)


def test_photo_that_lies_on_its_side(shapes):
    """The mask belongs to the upright photo, as the photo is loaded."""
    path = osp.join(shapes, 'JPEGImages', 'img5.jpg')
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = Image.fromarray(np.asarray(Image.open(path)).swapaxes(0, 1))
    photo.save(path, exif=exif)
    assert len(build_pseudo(shapes)) == 8
    photo.save(path)
    with pytest.raises(DataError, match='img5.jpg is 64 x 48'):
        build_pseudo(shapes)
