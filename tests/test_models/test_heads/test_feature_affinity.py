"""Affinity from a decoder's features."""
import pytest
import torch
from clip_nets import CLIPFile
from parity_files import close

from mmwsss.models.heads import FeatureAffinity


@pytest.fixture(scope='module')
def weclip(test_data):
    return CLIPFile(test_data('parity', 'weclip_decoder.npz'))


@pytest.fixture(scope='module')
def excel(test_data):
    return CLIPFile(test_data('parity', 'excel_maps.npz'))


def test_plain_affinity_parity(weclip):
    close(FeatureAffinity()(weclip['fuse']), weclip['attn_pred'])


def test_normalized_affinity_and_attention_parity(excel):
    """The published mean is one of the whole batch."""
    affinity = FeatureAffinity(normalize=True, gain=excel.config['lvc_gamma'],
                               across_batch=True)
    close(affinity(excel['seg/fuse_feats']), excel['aff/attn_pred'])
    close(affinity.attention(excel['seg/fuse_feats']), excel['lvc/ex_attn'])


@pytest.mark.parametrize('normalize', [False, True])
def test_images_do_not_depend_on_their_companions(normalize):
    features = torch.randn(3, 8, 4, 5)
    affinity = FeatureAffinity(normalize=normalize, gain=3.)
    for function in (affinity, affinity.attention):
        close(function(features)[1:2], function(features[1:2]))
    across = FeatureAffinity(normalize=True, across_batch=True)
    assert (across(features)[1:2] - across(features[1:2])).abs().max() > 1e-4


@pytest.mark.parametrize('options', [{}, dict(normalize=True, gain=3.)])
def test_affinity_is_symmetric_in_zero_to_one_and_learns(options):
    features = torch.randn(2, 8, 3, 5, requires_grad=True)
    affinity = FeatureAffinity(**options)
    got = affinity(features)
    close(got, got.transpose(1, 2).detach())
    assert got.min() >= 0 and got.max() <= 1
    got.sum().backward()
    assert features.grad.abs().sum() > 0
    attention = affinity.attention(features)
    torch.testing.assert_close(attention.sum(-1), torch.ones(2, 15))


@pytest.mark.parametrize('size', [(1, 1), (4, 5)])
@pytest.mark.parametrize('seed', range(8))
def test_features_without_differences_give_numbers(size, seed):
    torch.manual_seed(seed)
    features = torch.randn(1, 8, 1, 1).expand(2, 8, *size)
    affinity = FeatureAffinity(normalize=True, gain=3.)
    for same in (features, torch.zeros_like(features)):
        assert affinity(same).isfinite().all()
        got = affinity.attention(same).sum(-1)
        torch.testing.assert_close(got, torch.ones_like(got))
