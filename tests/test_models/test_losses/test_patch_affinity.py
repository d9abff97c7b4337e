"""Near patches of one label attract, of two labels repel."""
import pytest
import torch
from clip_nets import CLIPFile
from parity_files import check_loss
from torch.nn import functional as F

from mmwsss.models import FeatureAffinity
from mmwsss.models.losses.patch_affinity import (
    near_pairs,
    patch_affinity_loss,
)
from mmwsss.models.losses.patch_token_contrast import known_pairs


def parity_case(test_data, name):
    """Affinity module, features, labels on the patches, radius, file."""
    file = CLIPFile(test_data('parity', f'{name}.npz'))
    if name == 'weclip_decoder':
        affinity, radius = FeatureAffinity(), file.config['radius']
        features, labels = file['fuse'], file['label']
    else:
        affinity = FeatureAffinity(normalize=True, across_batch=True,
                                   gain=file.config['lvc_gamma'])
        radius, labels = file['aff/radius'].item(), file['aff/label_map']
        features = file['seg/fuse_feats']
    grid = features.shape[2:]
    labels = F.interpolate(labels[:, None].float(), grid)[:, 0].long()
    return affinity, features, labels, radius, file


FILES = ['weclip_decoder', 'excel_maps']


@pytest.mark.parametrize('name', FILES)
def test_pairs_parity(test_data, name):
    _, _, labels, radius, file = parity_case(test_data, name)
    near = near_pairs(labels, radius)
    if 'aff/radius_mask' in file:
        assert torch.equal(near, file['aff/radius_mask'] > 0)
    same, other = (pairs & near for pairs in known_pairs(labels, 255))
    want = file['aff/label']
    assert torch.equal(same, want == 1) and torch.equal(other, want == 0)
    # The published counts are one larger.
    assert [same.sum() + 1, other.sum() + 1] == (
        file['aff/pos_neg_count'].tolist())


@pytest.mark.parametrize('name', FILES)
def test_loss_parity(test_data, name):
    affinity, features, labels, radius, file = parity_case(test_data, name)
    features = features.clone().requires_grad_()
    gradient = file.get('aff/grad_fuse', file.get('aff/grad_fuse_feats'))
    check_loss(patch_affinity_loss(affinity(features), labels, radius),
               features, file['aff/loss'], gradient)


def test_the_long_way():
    """Over both images at once."""
    affinity = torch.rand(2, 12, 12)
    labels = torch.randint(0, 3, (2, 3, 4))
    labels[0, 1, 2:] = 255
    near = near_pairs(labels, 1)
    same, other = [], []
    for b in range(2):
        flat = labels[b].flatten().tolist()
        for i in range(12):
            for j in range(12):
                apart = max(abs(i // 4 - j // 4), abs(i % 4 - j % 4))
                assert near[i, j] == (apart <= 1)
                if near[i, j] and 255 not in (flat[i], flat[j]):
                    value = affinity[b, i, j].item()
                    (same if flat[i] == flat[j] else other).append(value)
    want = ((len(same) - sum(same)) / (len(same) + 1) +
            sum(other) / (len(other) + 1)) / 2
    got = patch_affinity_loss(affinity, labels, 1)
    assert got.item() == pytest.approx(want, rel=1e-5)


def test_no_known_pair_is_zero():
    labels = torch.full((1, 3, 4), 255)
    affinity = torch.rand(1, 12, 12, requires_grad=True)
    loss = patch_affinity_loss(affinity, labels, 2)
    loss.backward()
    assert loss == 0 and not affinity.grad.any()


@pytest.mark.parametrize('fill', [0, 2])
def test_one_label_alone_attracts(fill):
    labels = torch.full((1, 3, 4), fill)
    loss = [patch_affinity_loss(torch.full((1, 12, 12), value), labels, 9)
            for value in (0.1, 0.9)]
    assert loss[0] > loss[1] > 0
