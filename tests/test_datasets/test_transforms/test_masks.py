"""Masks where there are any."""
import numpy as np
from shapes import CLASSES

from mmwsss.files.masks import write_mask
from mmwsss.registry import TRANSFORMS


def test_a_photo_without_a_mask_passes(tmp_path):
    load = TRANSFORMS.build(dict(type='LoadMaskIfAny'))
    bare = dict(img_path='a.jpg', seg_fields=[])
    assert load(dict(bare)) == bare
    assert load(dict(bare, seg_map_path=None)) == dict(bare,
                                                       seg_map_path=None)


def test_indices_of_a_palette_are_kept(tmp_path):
    mask = np.array([[0, 2, 255], [1, 1, 0]], np.uint8)
    write_mask(str(tmp_path / 'a.png'), mask, CLASSES['palette'])
    load = TRANSFORMS.build(dict(type='LoadMaskIfAny'))
    results = load(dict(seg_map_path=str(tmp_path / 'a.png'), seg_fields=[],
                        reduce_zero_label=False, label_map=None))
    assert np.array_equal(results['gt_seg_map'], mask)
