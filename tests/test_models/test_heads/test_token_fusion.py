"""Tokens of many layers brought together."""
import pytest
import torch
from clip_nets import CLIPFile
from parity_files import close

from mmwsss.models.heads import TokenFusion


@pytest.fixture(scope='module')
def file(test_data):
    return CLIPFile(test_data('parity', 'weclip_decoder.npz'))


def test_fusion_parity(file):
    config = file.config
    parts = file.decoder(config['in_channels'], config['num_levels'],
                         config['embedding_dim'], config['num_classes'],
                         config['heads'], config['layers'])
    grid = tuple(file['feats'].shape[-2:])
    # The class token, which comes first, has no part in it.
    levels = [torch.nn.functional.pad(level.flatten(2).transpose(1, 2),
                                      (0, 0, 1, 0), value=7.)
              for level in file['feats']]
    close(parts['fusion'](levels, grid), file['fuse'])


def test_whole_channels_are_dropped_in_training_alone():
    fusion = TokenFusion(8, 3, channels=64, dropout=0.5)
    levels = [torch.rand(2, 1 + 12, 8) for _ in range(3)]
    zeros = (fusion(levels, (3, 4)) == 0).flatten(2)
    assert zeros.any() and (zeros.all(2) == zeros.any(2)).all()
    fusion.eval()
    assert not (fusion(levels, (3, 4)) == 0).any()


@pytest.mark.parametrize('count', [2, 4])
def test_another_number_of_levels_is_an_error(count):
    fusion = TokenFusion(8, 3, channels=4)
    with pytest.raises(ValueError, match='zip'):
        fusion([torch.rand(1, 7, 8)] * count, (2, 3))
