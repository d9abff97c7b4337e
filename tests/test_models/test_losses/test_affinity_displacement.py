"""IRN's losses against the published code."""
import numpy as np
import pytest
import torch

from mmwsss.models.losses import AffinityDisplacementLoss


def test_parity_with_irn(test_data):
    with np.load(test_data('parity', 'irn.npz')) as file:
        edge, displacement, labels, terms, edge_gradient, other_gradient = (
            torch.from_numpy(file[f'loss/{name}']) for name in
            ('edge_logit', 'dp', 'label', 'terms_pos_neg_dpfg_dpbg_total',
             'grad_edge', 'grad_dp'))
    edge.requires_grad_()
    displacement.requires_grad_()
    losses = AffinityDisplacementLoss(radius=5)(edge, displacement,
                                                labels.long())
    torch.testing.assert_close(2 * torch.stack(list(losses.values())),
                               terms[:4], rtol=1e-5, atol=0)
    total = sum(losses.values())
    torch.testing.assert_close(total, terms[4], rtol=1e-5, atol=0)
    total.backward()
    for got, want in ((edge.grad, edge_gradient),
                      (displacement.grad, other_gradient)):
        assert (got - want).abs().max() <= 1e-4 * want.abs().max()


def test_true_displacements_cost_nothing():
    # Every pixel points to the same centre.
    y, x = torch.meshgrid(torch.arange(9.), torch.arange(12.), indexing='ij')
    to_centre = torch.stack([4 - y, 6 - x])[None]
    losses = AffinityDisplacementLoss(radius=3)(
        torch.full((1, 1, 9, 12), -20.), -to_centre,
        torch.ones(1, 9, 12, dtype=torch.long))
    wrong = AffinityDisplacementLoss(radius=3)(
        torch.full((1, 1, 9, 12), -20.), to_centre,
        torch.ones(1, 9, 12, dtype=torch.long))
    costs = [loss['loss_displacement_foreground'] for loss in (losses, wrong)]
    assert min(costs) < 1e-4 < 1 < max(costs)
    assert losses['loss_affinity_positive'] < 1e-4


@pytest.mark.parametrize('value', [0, 5, 255])
def test_finite_without_pairs_of_a_kind(value):
    edge = torch.randn(1, 1, 8, 12, requires_grad=True)
    losses = AffinityDisplacementLoss(radius=4)(
        edge, torch.randn(1, 2, 8, 12),
        torch.full((1, 8, 12), value, dtype=torch.long))
    total = sum(losses.values())
    total.backward()
    assert total.isfinite() and edge.grad.isfinite().all()


def test_too_small_an_image_is_named():
    with pytest.raises(ValueError, match='6 x 20 hold no pair at radius 10'):
        AffinityDisplacementLoss()(torch.zeros(1, 1, 6, 20),
                                   torch.zeros(1, 2, 6, 20),
                                   torch.zeros(1, 6, 20))
