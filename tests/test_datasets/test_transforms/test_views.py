"""Photometric views of a photo."""
import numpy as np
import torch

from mmwsss.registry import TRANSFORMS


def photo():
    img = np.zeros((40, 60, 3), np.uint8)
    img[:, :30] = (200, 40, 10)  # BGR: blue on the left
    img[:, 30:] = (10, 40, 200)
    return img


def view(**options):
    results = dict(img=photo())
    TRANSFORMS.build(dict(type='PhotometricView', **options))(results)
    return results


def test_places_stay_comparable_without_a_crop():
    looks = []
    for seed in range(12):
        torch.manual_seed(seed)
        results = view(to='local_view')
        assert np.array_equal(results['img'], photo())
        look = results['local_view']
        assert look.shape == (40, 60, 3) and look.dtype == np.uint8
        # One colour a half: nothing has moved, nothing is blurred.
        for half in (look[:, :30], look[:, 30:]):
            assert (half == half[0, 0]).all()
        looks.append(look.tobytes())
    assert len(set(looks)) > 4


def test_the_image_itself_and_its_channels(monkeypatch):
    results = view(to='img')
    assert set(results) == {'img'}
    # The view is BGR again: without any change it is the photo.
    step = TRANSFORMS.build(dict(type='PhotometricView', to='second_view'))
    step.change.transforms.clear()
    results = step(dict(img=photo()))
    assert np.array_equal(results['second_view'], photo())


def test_crops_are_resized_and_sometimes_mirrored():
    blue_left = set()
    for seed in range(20):
        torch.manual_seed(seed)
        look = view(to='second_view', crop_size=16)['second_view']
        assert look.shape == (16, 16, 3)
        left, right = (look[:, side].astype(int).mean(0) for side in (0, -1))
        if abs(left[0] - right[0]) > 60:
            blue_left.add(bool(left[0] > right[0]))
    assert blue_left == {True, False}


def test_blur_and_solarisation():
    step = TRANSFORMS.build(dict(type='PhotometricView', to='img', blur=1.))
    step.change.transforms[:2] = []  # colours
    blurred = step(dict(img=photo()))['img']
    assert len(np.unique(blurred[0], axis=0)) > 2
    step = TRANSFORMS.build(dict(type='PhotometricView', to='img',
                                 solarize=1.))
    step.change.transforms[:2] = []
    assert step(dict(img=photo()))['img'][0, 0].tolist() == [55, 40, 10]
