"""COCO's run lengths, read and written."""
import numpy as np
import pytest

from mmwsss.files.run_lengths import read_run_lengths, run_lengths


def regions():
    rng = np.random.default_rng(0)
    for share in (0, 0.001, 0.5, 0.999, 1):
        region = rng.random((30, 50)) < share
        region[:, 10:30] = share > 0.5  # runs of more than five bits
        yield region


@pytest.mark.parametrize('region', list(regions()))
def test_what_is_written_is_read_as_pycocotools_does(region):
    mask_api = pytest.importorskip('pycocotools.mask')
    counts = run_lengths(region)
    packed = mask_api.encode(np.asfortranarray(region.astype(np.uint8)))
    assert counts == read_run_lengths(
        dict(packed, counts=packed['counts'].decode()), region.shape)
    assert counts == read_run_lengths(
        dict(size=[30, 50], counts=counts), region.shape)


@pytest.mark.parametrize('outline, wrong', [
    (None, 'no run lengths'), ([], 'no run lengths'),
    (dict(size=[2, 3]), 'no run lengths'),
    (dict(size=[3, 2], counts=[6]), 'for 3 x 2, but the image is 2 x 3'),
    (dict(size=7, counts=[6]), 'for 7, but'),
    (dict(size=[2, 3], counts=[5]), 'of 5 pixels'),
    (dict(size=[2, 3], counts=[-1, 7]), 'of 6 pixels'),
    (dict(size=[2, 3], counts=[]), 'of 0 pixels'),
    (dict(size=[2, 3], counts=[6.]), 'no whole numbers'),
    (dict(size=[2, 3], counts=[None]), 'no whole numbers'),
    (dict(size=[2, 3], counts=6), 'no whole numbers'),
    (dict(size=[2, 3], counts='PPPPPPPPPPPPPPP'), 'a damaged text'),
    (dict(size=[2, 3], counts='zz'), 'of 20 pixels'),
])
def test_what_is_wrong_is_said(outline, wrong):
    with pytest.raises(ValueError, match=wrong):
        read_run_lengths(outline, (2, 3))
