"""ToCo's patch-token contrast against the published code."""
import numpy as np
import pytest
import torch
from parity_files import check_loss

from mmwsss.models.losses import PatchTokenContrast


def test_parity_of_patch_token_contrast(toco_losses):
    tokens = toco_losses('ptc/fmap').requires_grad_()
    labels = toco_losses('ptc/label')
    contrast = PatchTokenContrast()
    check_loss(contrast(tokens, labels), tokens, toco_losses('ptc/loss'),
               toco_losses('ptc/grad_fmap'))
    same, other = contrast.pairs(labels)
    mask = toco_losses('ptc/aff_mask')
    assert torch.equal(same, mask == 1) and torch.equal(other, mask == 0)
    for name, value in (('loss_all_ignored', 255), ('loss_single_label', 0)):
        torch.testing.assert_close(
            contrast(tokens, torch.full_like(labels, value)),
            toco_losses(f'ptc/{name}').view(()), rtol=1e-5, atol=0)


def test_similarities_differ_on_opposite_tokens():
    tokens = torch.tensor([1., -1.]).view(1, 1, 1, 2)
    labels = torch.tensor([[[0, 1]]])
    losses = [PatchTokenContrast(name)(tokens, labels).item()
              for name in ('abs', 'relu', 'cos')]
    # One pair seen from both ends, divided by one more.
    np.testing.assert_allclose(losses, [.5 + 1 / 3, .5, .5 - 1 / 3],
                               atol=1e-6)
    with pytest.raises(ValueError, match="similarity='sin'"):
        PatchTokenContrast('sin')
