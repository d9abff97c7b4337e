"""Large photos are worked on at a smaller size."""
import numpy as np
import pytest

from mmwsss.files.work_size import fit_mask, fit_photo, work_size


@pytest.mark.parametrize('size, longest, want', [
    ((3000, 4000), 640, (480, 640)), ((4000, 3000), 640, (640, 480)),
    ((300, 400), 640, (300, 400)), ((300, 640), 640, (300, 640)),
    ((2, 5000), 640, (1, 640)), ((3000, 4000), None, (3000, 4000))])
def test_the_longer_side_keeps_to_it(size, longest, want):
    assert work_size(size, longest) == want


def test_a_photo_keeps_its_picture():
    photo = np.zeros((300, 400, 3), np.uint8)
    photo[:, 200:] = (200, 40, 0)
    small = fit_photo(photo, (30, 40))
    assert small.shape == (30, 40, 3)
    assert (small[:, :18] == 0).all()
    assert (small[:, 22:] == (200, 40, 0)).all()
    assert fit_photo(photo, (300, 400)) is photo


def test_a_mask_keeps_its_values():
    mask = np.array([[0, 3], [255, 1]], np.uint8)
    large = fit_mask(mask, (4, 6))
    assert (large == np.repeat(np.repeat(mask, 2, 0), 3, 1)).all()
    assert (fit_mask(large, (2, 2)) == mask).all()
    assert fit_mask(mask, (2, 2)) is mask
