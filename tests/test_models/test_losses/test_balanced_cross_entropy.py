"""The segmentation loss against the published codes, and their NaN."""
import pytest
import torch
from clip_nets import CLIPFile
from parity_files import check_loss
from torch.nn import functional as F

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


@pytest.mark.parametrize('name, label', [('weclip_decoder', 'label'),
                                         ('excel_maps', 'aff/label_map')])
def test_upsampled_logits_parity(test_data, name, label):
    """WeCLIP's and ExCEL's, of logits at a sixteenth of the size."""
    file = CLIPFile(test_data('parity', f'{name}.npz'))
    labels = file[label].long()
    key = 'logits' if 'logits' in file else 'seg/logits'
    logits = file[key].clone().requires_grad_()
    full = F.interpolate(logits, labels.shape[1:], mode='bilinear')
    check_loss(BalancedCrossEntropy()(full, labels), logits,
               file['seg/loss'], file['seg/grad_logits'])


def test_without_background_parity(test_data):
    """The published code gives no number; here that half is 0."""
    file = CLIPFile(test_data('parity', 'weclip_decoder.npz'))
    assert file['seg/loss_no_background'].isnan()
    labels = file['label'].long()
    labels[labels == 0] = 255
    full = F.interpolate(file['logits'], labels.shape[1:], mode='bilinear')
    full.requires_grad_()
    loss = BalancedCrossEntropy()(full, labels)
    loss.backward()
    want = F.cross_entropy(full.detach(), labels, ignore_index=255) / 2
    assert loss.item() == pytest.approx(want.item(), rel=1e-5)
    assert full.grad.isfinite().all()
