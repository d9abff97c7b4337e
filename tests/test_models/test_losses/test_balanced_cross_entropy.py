"""ToCo's segmentation loss against the published code, and its NaN."""
import pytest
import torch
from parity_files import check_loss

from mmwsss.models.losses import BalancedCrossEntropy


def test_parity_of_the_segmentation_loss(toco_losses):
    logits = toco_losses('seg/pred').requires_grad_()
    loss = BalancedCrossEntropy()(logits, toco_losses('seg/label'))
    check_loss(loss, logits, toco_losses('seg/loss'),
               toco_losses('seg/grad_pred'))


@pytest.mark.parametrize('value', [0, 3, 255])
def test_finite_without_background_or_objects(value):
    logits = torch.randn(1, 5, 4, 4, requires_grad=True)
    labels = torch.full((1, 4, 4), value)
    loss = BalancedCrossEntropy()(logits, labels)
    loss.backward()
    assert loss.isfinite() and logits.grad.isfinite().all()
    assert (loss == 0) == (value == 255)
