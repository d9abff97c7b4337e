"""The dense CRF against pydensecrf."""
import numpy as np
import pytest
import torch
from PIL import Image

from mmwsss.ops import (
    dense_crf,
    unary_from_labels,
    unary_from_probabilities,
)


def photo_and_probabilities(test_data):
    """A real photo and a coarse guess at three labels."""
    names = test_data('voc_mini', 'ImageSets', 'Segmentation', 'val.txt')
    with open(names) as file:
        name = file.readline().strip()
    with Image.open(test_data('voc_mini', 'JPEGImages', f'{name}.jpg')) as im:
        photo = np.array(im.convert('RGB'))
    coarse = torch.rand(1, 3, 12, 12, generator=torch.Generator()
                        .manual_seed(0))
    probabilities = torch.nn.functional.interpolate(
        3 * coarse, photo.shape[:2], mode='bilinear')[0].softmax(0)
    return photo, probabilities


@pytest.mark.parametrize('bilateral', [dict(sxy=80, srgb=13),
                                       dict(sxy=50, srgb=5)])
def test_dense_crf_agrees_with_pydensecrf(test_data, bilateral):
    densecrf = pytest.importorskip('pydensecrf.densecrf')
    photo, probabilities = photo_and_probabilities(test_data)
    if bilateral['srgb'] == 5:
        unary = unary_from_labels(probabilities.argmax(0), 3, gt_prob=0.7)
    else:
        unary = unary_from_probabilities(probabilities)
    got = dense_crf(torch.from_numpy(photo).permute(2, 0, 1), unary,
                    bilateral_sxy=bilateral['sxy'],
                    bilateral_srgb=bilateral['srgb'])
    crf = densecrf.DenseCRF2D(*photo.shape[1::-1], 3)
    crf.setUnaryEnergy(np.ascontiguousarray(unary.flatten(1).numpy()))
    crf.addPairwiseGaussian(sxy=3, compat=3)
    crf.addPairwiseBilateral(rgbim=photo, compat=10, **bilateral)
    want = np.array(crf.inference(10)).reshape(unary.shape)
    agree = (got.argmax(0).numpy() == want.argmax(0)).mean()
    assert agree >= 0.99 and (got.argmax(0) != unary.argmin(0)).any()


def test_wrong_sizes_are_named():
    with pytest.raises(ValueError, match='differ in size'):
        dense_crf(torch.zeros(3, 4, 5), torch.zeros(2, 5, 4))


def test_probabilities_of_a_mask():
    unary = unary_from_labels(torch.tensor([[0, 2]]), 3, gt_prob=0.6)
    torch.testing.assert_close(
        (-unary).exp()[:, 0], torch.tensor([[.6, .2], [.2, .2], [.2, .6]]))
    assert unary_from_probabilities(torch.zeros(2, 1, 1)).isfinite().all()
    for labels, sure in ((1, 0.6), (3, 1.)):
        with pytest.raises(ValueError, match=f'num_labels={labels}'):
            unary_from_labels(torch.tensor([[0]]), labels, sure)
