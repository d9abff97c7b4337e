"""ToCo's class-token contrast against the published code."""
import pytest
import torch
from parity_files import check_loss

from mmwsss.models.losses import CropTokenContrast


@pytest.mark.parametrize('case', ['ctc', 'ctc2'])
def test_parity_of_crop_token_contrast(toco_losses, case):
    flags = toco_losses(f'{case}/flags')
    student = toco_losses(f'{case}/student').requires_grad_()
    teacher = toco_losses(f'{case}/teacher').unflatten(0, (2, len(flags)))
    crops = student.unflatten(0, flags.shape[::-1])
    check_loss(CropTokenContrast()(crops, teacher, flags), student,
               toco_losses(f'{case}/loss'),
               toco_losses(f'{case}/grad_student'))
    if case == 'ctc':
        torch.testing.assert_close(
            CropTokenContrast(temperature=1)(crops, teacher, flags),
            toco_losses('ctc/loss_temp1').view(()), rtol=1e-5, atol=0)


def test_large_logits_do_not_overflow():
    student = torch.full((3, 1, 4), 100., requires_grad=True)
    loss = CropTokenContrast()(student, student[:2].detach(),
                               torch.tensor([[1, 1, 0]]))
    loss.backward()
    assert loss.isfinite() and student.grad.isfinite().all()
