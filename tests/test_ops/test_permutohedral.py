"""The lattice filter and the dense CRF on it, against the C++ code."""
import numpy as np
import pytest
import torch
from PIL import Image

from mmwsss.ops import (
    PermutohedralLattice,
    dense_crf,
    unary_from_labels,
    unary_from_probabilities,
)


@pytest.mark.parametrize('case', ['a', 'b'])
def test_parity_with_the_compiled_filter(test_data, case):
    with np.load(test_data('parity', 'toco_energy.npz')) as file:
        image, values, want = (
            torch.from_numpy(file[f'{case}/{k}']).flatten(2)
            for k in ('scaled_img', 'scaled_seg_roi', 'AS_raw'))
        sigma_rgb, sigma_xy = file[f'{case}/filter_sigma_rgb_xy'].tolist()
        height, width = file[f'{case}/scaled_img'].shape[2:]
    # The C++ code pads to blocks of 4 pixels with points at the origin,
    # which adds a few lattice points that ours does not have.
    tolerance = 1e-5 if height * width % 4 == 0 else 1e-2
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width),
                          indexing='ij')
    place = torch.stack([x, y]).flatten(1).expand(len(image), -1, -1)
    features = torch.cat([place / sigma_xy, image / sigma_rgb], 1)
    got = PermutohedralLattice(features.transpose(1, 2)).filter(values)
    assert (got - want).abs().max() <= tolerance * want.abs().max()


def test_close_to_an_exact_gaussian_up_to_a_factor():
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(1, 400, 3, generator=generator) * 4
    values = torch.rand(1, 1, 400, generator=generator)
    exact = (-torch.cdist(features, features)**2 / 2).exp() @ values[0, 0]
    got = PermutohedralLattice(features).filter(values)[0, 0]
    assert torch.corrcoef(torch.stack([got, exact[0]]))[0, 1] > 0.98


def test_images_of_a_batch_do_not_meet():
    features = torch.rand(2, 50, 5) * 3
    values = torch.rand(2, 4, 50)
    both = PermutohedralLattice(features).filter(values)
    for i in range(2):
        alone = PermutohedralLattice(features[i:i + 1]).filter(values[i:i + 1])
        torch.testing.assert_close(both[i:i + 1], alone)


def test_gradient():
    lattice = PermutohedralLattice(
        torch.rand(1, 12, 2, dtype=torch.double) * 3)
    values = torch.rand(1, 2, 12, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(lattice.filter, values)


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
    with pytest.raises(ValueError, match='do not belong'):
        PermutohedralLattice(torch.rand(1, 9, 2)).filter(torch.rand(1, 2, 8))
    with pytest.raises(ValueError, match='spread too wide'):
        PermutohedralLattice(torch.rand(1, 9, 5) * 1e5)
