"""A few transformer layers on a feature map."""
import pytest
import torch
from clip_nets import CLIPFile
from parity_files import close

from mmwsss.models import TransformerHead
from mmwsss.models.backbones.token_vit import MeanAttention, run_layer


@pytest.fixture(scope='module')
def file(test_data):
    return CLIPFile(test_data('parity', 'weclip_decoder.npz'))


@torch.no_grad()
def test_decoder_parity(file):
    config = file.config
    head = file.decoder(config['in_channels'], config['num_levels'],
                        config['embedding_dim'], config['num_classes'],
                        config['heads'], config['layers'])['decode_head']
    got = head([file['fuse']])
    close(got, file['logits'])
    # The published output projections run in half precision.
    close(got, file['logits_half_outproj'], 1e-3)
    tokens = file['fuse'].flatten(2).transpose(1, 2)
    for layer, want in zip(head.layers, file['dec_attn'], strict=True):
        recorder = MeanAttention()
        tokens = run_layer(layer, tokens, recorder)
        close(recorder.mean, want)


@pytest.mark.parametrize('size', [(3, 5), (1, 1), (7, 2)])
def test_maps_of_any_size(size):
    head = TransformerHead(num_layers=1, num_heads=2, in_channels=8,
                           num_classes=3)
    assert head([torch.rand(2, 8, *size)]).shape == (2, 3, *size)


def test_positions_are_not_known():
    """There are no position embeddings."""
    head = TransformerHead(num_layers=2, num_heads=2, in_channels=8,
                           num_classes=3).eval()
    x = torch.rand(1, 8, 4, 6)
    close(head([x.flip(-1)]).detach(), head([x]).flip(-1).detach(), 1e-4)


def test_every_weight_learns():
    head = TransformerHead(num_layers=2, num_heads=2, in_channels=8,
                           num_classes=3)
    (head([torch.rand(2, 8, 3, 3)])**2).sum().backward()
    for name, weight in head.named_parameters():
        assert weight.grad is not None, name
