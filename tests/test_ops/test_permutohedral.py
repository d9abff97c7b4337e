"""The lattice filter, against the C++ code and an exact Gaussian."""
import numpy as np
import pytest
import torch

from mmwsss.ops import PermutohedralLattice


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


def test_wrong_sizes_are_named():
    with pytest.raises(ValueError, match='do not belong'):
        PermutohedralLattice(torch.rand(1, 9, 2)).filter(torch.rand(1, 2, 8))
    with pytest.raises(ValueError, match='spread too wide'):
        PermutohedralLattice(torch.rand(1, 9, 5) * 1e5)
