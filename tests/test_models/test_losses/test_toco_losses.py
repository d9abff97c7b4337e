"""ToCo's losses against the published code, and where it gives NaN."""
import numpy as np
import pytest
import torch

from mmwsss.models.losses import (
    BalancedCrossEntropy,
    CropTokenContrast,
    DenseEnergyLoss,
    PatchTokenContrast,
)


@pytest.fixture
def stored(test_data):
    """Arrays of the published losses as tensors."""
    with np.load(test_data('parity', 'toco_losses.npz')) as file:
        yield lambda name: torch.from_numpy(file[name])


def check(loss, leaf, want, want_gradient):
    """A loss and the gradient of its input, to the fixture's tolerances."""
    torch.testing.assert_close(loss, want.view(()), rtol=1e-5, atol=0)
    loss.backward()
    difference = (leaf.grad - want_gradient).abs().max()
    assert difference <= 1e-4 * want_gradient.abs().max()


def test_parity_of_patch_token_contrast(stored):
    tokens = stored('ptc/fmap').requires_grad_()
    labels = stored('ptc/label')
    contrast = PatchTokenContrast()
    check(contrast(tokens, labels), tokens, stored('ptc/loss'),
          stored('ptc/grad_fmap'))
    same, other = contrast.pairs(labels)
    mask = stored('ptc/aff_mask')
    assert torch.equal(same, mask == 1) and torch.equal(other, mask == 0)
    for name, value in (('loss_all_ignored', 255), ('loss_single_label', 0)):
        torch.testing.assert_close(
            contrast(tokens, torch.full_like(labels, value)),
            stored(f'ptc/{name}').view(()), rtol=1e-5, atol=0)


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


@pytest.mark.parametrize('case', ['ctc', 'ctc2'])
def test_parity_of_crop_token_contrast(stored, case):
    flags = stored(f'{case}/flags')
    student = stored(f'{case}/student').requires_grad_()
    teacher = stored(f'{case}/teacher').unflatten(0, (2, len(flags)))
    crops = student.unflatten(0, flags.shape[::-1])
    check(CropTokenContrast()(crops, teacher, flags), student,
          stored(f'{case}/loss'), stored(f'{case}/grad_student'))
    if case == 'ctc':
        torch.testing.assert_close(
            CropTokenContrast(temperature=1)(crops, teacher, flags),
            stored('ctc/loss_temp1').view(()), rtol=1e-5, atol=0)


def test_large_logits_do_not_overflow():
    student = torch.full((3, 1, 4), 100., requires_grad=True)
    loss = CropTokenContrast()(student, student[:2].detach(),
                               torch.tensor([[1, 1, 0]]))
    loss.backward()
    assert loss.isfinite() and student.grad.isfinite().all()


def test_parity_of_the_segmentation_loss(stored):
    logits = stored('seg/pred').requires_grad_()
    check(BalancedCrossEntropy()(logits, stored('seg/label')), logits,
          stored('seg/loss'), stored('seg/grad_pred'))


@pytest.mark.parametrize('value', [0, 3, 255])
def test_finite_without_background_or_objects(value):
    logits = torch.randn(1, 5, 4, 4, requires_grad=True)
    labels = torch.full((1, 4, 4), value)
    loss = BalancedCrossEntropy()(logits, labels)
    loss.backward()
    assert loss.isfinite() and logits.grad.isfinite().all()
    assert (loss == 0) == (value == 255)


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
