"""The dense energy loss against the published C++ code."""
import numpy as np
import pytest
import torch

from mmwsss.models.losses import DenseEnergyLoss


@pytest.mark.parametrize('case', ['a', 'b'])
def test_parity_of_the_dense_energy(test_data, case):
    with np.load(test_data('parity', 'toco_energy.npz')) as file:
        image, logits, labels, box, want, want_gradient = (
            torch.from_numpy(file[f'{case}/{name}']) for name in
            ('img', 'logit', 'label', 'img_box', 'loss', 'grad_logit'))
    height, width = (side // 2 for side in logits.shape[2:])
    # The C++ code pads to blocks of 4 pixels with points at the origin.
    tolerance = 1e-5 if height * width % 4 == 0 else 1e-2
    mean = torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)
    std = torch.tensor([58.395, 57.12, 57.375]).view(3, 1, 1)
    inside = torch.zeros(labels.shape)
    for i, (top, bottom, left, right) in enumerate(box.tolist()):
        inside[i, top:bottom, left:right] = 1
    logits.requires_grad_()
    loss = DenseEnergyLoss()(logits, image * std + mean, labels, inside)
    torch.testing.assert_close(loss, want.view(()), rtol=tolerance, atol=0)
    loss.backward()
    difference = (logits.grad - want_gradient).abs().max()
    assert difference <= max(1e-4, tolerance) * want_gradient.abs().max()
