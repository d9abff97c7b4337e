"""Global weighted rank pooling: properties, gradient, parity."""
import pytest
import torch
from parity_files import close, read

from mmwsss.ops import gwrp


def test_decay_zero_is_max_and_one_is_mean():
    maps = torch.randn(2, 3, 5, 7)
    assert torch.equal(gwrp(maps, 0.), maps.amax((2, 3)))
    torch.testing.assert_close(gwrp(maps, 1.), maps.mean((2, 3)))


def test_lies_between_mean_and_max_and_falls_with_decay():
    maps = torch.randn(2, 3, 6, 6)
    pooled = torch.stack([gwrp(maps, d) for d in (0., .5, .9, .99, 1.)])
    assert (pooled.diff(dim=0) <= 1e-6).all()


def test_position_does_not_matter():
    maps = torch.randn(1, 2, 4, 4)
    order = torch.randperm(16)
    shuffled = maps.flatten(2)[..., order].unflatten(2, (4, 4))
    torch.testing.assert_close(gwrp(maps, .9), gwrp(shuffled, .9))


@pytest.mark.parametrize('decay', [0., .5, .996, 1.])
def test_gradient(decay):
    maps = torch.randn(1, 2, 3, 4, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(lambda m: gwrp(m, decay), (maps, ))


@pytest.mark.parametrize('maps, decay', [(torch.zeros(2, 3, 4), .9),
                                         (torch.zeros(1, 2, 0, 4), .9),
                                         (torch.zeros(1, 2, 3, 4), 1.1)])
def test_bad_input(maps, decay):
    with pytest.raises(ValueError, match='gwrp'):
        gwrp(maps, decay)


def test_parity_with_published_code(test_data):
    stored = read(test_data('parity', 'gwrp.npz'))
    decays = [name[7:] for name in stored if name.startswith('logits_')]
    assert decays
    for decay in decays:
        maps = torch.from_numpy(stored['feature']).requires_grad_()
        logits = gwrp(maps, float(decay))
        (logits * torch.from_numpy(stored['w'])).sum().backward()
        close(logits, stored[f'logits_{decay}'], 1e-6)
        close(maps.grad, stored[f'grad_{decay}'], 1e-5)
