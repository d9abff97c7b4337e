"""PSA's loss where there are no pairs of a kind."""
import pytest
import torch

from mmwsss.models.losses import PairAffinityLoss


@pytest.mark.parametrize('value', [0, 5, 255])
def test_psa_loss_is_finite_without_pairs_of_a_kind(value):
    features = torch.randn(1, 8, 8, 12, requires_grad=True)
    losses = PairAffinityLoss(radius=4)(
        features, torch.full((1, 8, 12), value, dtype=torch.long))
    total = sum(losses.values())
    total.backward()
    assert total.isfinite() and features.grad.isfinite().all()
