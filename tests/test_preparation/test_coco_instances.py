"""COCO's outlines; what is wrong with a file is in the tests of coco14."""
import sys

import numpy as np
import pytest

from mmwsss.preparation import coco_instances
from mmwsss.problems import DataError

mask_api = pytest.importorskip('pycocotools.mask')


def test_compressed_run_lengths_are_read_as_pycocotools_does():
    rng = np.random.default_rng(0)
    for share in (0.001, 0.5, 0.999):
        region = (rng.random((300, 500)) < share).astype(np.uint8)
        region[:, 100:300] = share > 0.5  # runs of more than five bits
        packed = mask_api.encode(np.asfortranarray(region))
        image = coco_instances.COCOImage('x.jpg', region.shape)
        image.objects.append((7, coco_instances._read_outline(
            dict(packed, counts=packed['counts'].decode()), region.shape)))
        np.testing.assert_array_equal(coco_instances.draw_mask(image),
                                      7 * region)


def test_without_pycocotools(monkeypatch):
    monkeypatch.setitem(sys.modules, 'pycocotools', None)
    monkeypatch.setitem(sys.modules, 'pycocotools.mask', None)
    with pytest.raises(DataError, match='pip install'):
        coco_instances.require_pycocotools()


def test_polygons_are_drawn_and_the_smallest_lies_on_top():
    image = coco_instances.COCOImage('x.jpg', (20, 30))

    def box(left, top, right, bottom):
        return [np.array([left, top, right, top, right, bottom, left, bottom],
                         float)]

    image.objects += [(3, box(5, 5, 10, 10)), (7, box(0, 0, 20, 15))]
    mask = coco_instances.draw_mask(image)
    want = np.zeros((20, 30), np.uint8)
    want[:15, :20] = 7
    want[5:10, 5:10] = 3
    np.testing.assert_array_equal(mask, want)
    assert not coco_instances.draw_mask(
        coco_instances.COCOImage('y.jpg', (4, 5))).any()
