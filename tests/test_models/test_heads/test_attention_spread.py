"""Maps spread along attention, as the methods put it together."""
import pytest
import torch
from clip_nets import CLIPFile
from parity_files import close
from torch.nn import functional as F

from mmwsss.models.heads.attention_spread import AttentionSpread


@pytest.fixture(scope='module')
def weclip(test_data):
    return CLIPFile(test_data('parity', 'weclip_decoder.npz'))


def check(spread, maps, attention, learned, raw, full=None):
    """The spread maps, and what they are at full size.

    Compared as they were before they were scaled, which enlarges rounding
    errors where a map has little contrast. The published scaling adds 1e-7.
    """
    got = spread(maps, attention, learned)
    low, high = (side(raw, dim=(1, 2), keepdim=True)
                 for side in (torch.amin, torch.amax))
    close(got[0] * (high - low) + low, raw)
    if full is not None:
        large = F.interpolate(got, full.shape[1:], mode='bilinear')[0]
        close(large * (high - low) + low, full * (high - low + 1e-7) + low,
              1e-4)


@pytest.mark.parametrize('data', ['voc', 'coco'])
def test_weclip_parity(weclip, data):
    config = weclip.config
    spread = AttentionSpread(config[f'box_threshold_{data}'],
                             config['plain_attn_layers'],
                             config[f'rfm_attn_layers_{data}'])
    maps = weclip['rfm/cams'][None]
    attention = [*weclip['rfm/attn'][:, None, 1:, 1:]]
    assert spread.layers == max(config['plain_attn_layers'],
                                config[f'rfm_attn_layers_{data}'])
    for name, learned in (('plain', None),
                          ('rfm', weclip['rfm/attn_pred'][None])):
        check(spread, maps, attention, learned,
              weclip[f'rfm/{data}_{name}'],
              weclip.get(f'rfm/{data}_{name}_highres'))


def test_clip_es_parity(test_data):
    file = CLIPFile(test_data('parity', 'clip_es_cam.npz'))
    spread = AttentionSpread(file.config['box_threshold'],
                             file.config['num_attn_layers'])
    for image in {key.split('/')[0] for key in file if '/image' in key}:
        check(spread, file[f'{image}/cam'][None],
              [*file[f'{image}/attn'][:, None, 1:, 1:]], None,
              file[f'{image}/cam_refined'], file[f'{image}/attn_highres'])


def test_excel_parity(test_data):
    file = CLIPFile(test_data('parity', 'excel_maps.npz'))
    spread = AttentionSpread(file.config['caa_threshold'],
                             file.config['aff_attn_layers'])
    attention = [*file['svc/attn'][..., 1:, 1:]]
    grid = file['seg/logits'].shape[2:]
    maps = file['surgery/maps'].transpose(1, 2).unflatten(2, grid)
    for i, onehot in enumerate(file['cls_label']):
        present = onehot.nonzero().flatten()
        own = [layer[i:i + 1] for layer in attention]
        check(spread, maps[i:i + 1, present], own, None,
              file[f'caa/plain_{i}'])
        check(spread, maps[i:i + 1, present], own,
              file['aff/attn_pred'][i:i + 1], file[f'caa/rfm_{i}'],
              file[f'caa/rfm_highres_{i}'])


def attention(layers=5, images=2, count=12):
    return [torch.rand(images, count, count) + 0.01 for _ in range(layers)]


def test_only_the_last_layers_count():
    maps, every = torch.rand(2, 3, 3, 4), attention()
    spread = AttentionSpread(0.4, layers=2, selected_layers=3)
    assert spread.layers == 3
    close(spread(maps, every), spread(maps, every[-2:]))
    learned = torch.rand(2, 12, 12)
    close(spread(maps, every, learned), spread(maps, every[-3:], learned))
    assert (spread(maps, every) - spread(maps, every, learned)
            ).abs().max() > 1e-3


def test_the_edge_is_reached_where_it_is_asked_for():
    maps, every = torch.zeros(1, 1, 3, 4), attention(images=1)
    maps[..., -1, -1] = 1
    assert not AttentionSpread(0.4)(maps, every).any()
    assert AttentionSpread(0.4, cover_edge=True)(maps, every).max() == 1


def test_one_image_and_class_at_a_time():
    maps, every = torch.rand(2, 3, 3, 4), attention()
    learned = torch.rand(2, 12, 12)
    spread = AttentionSpread(0.4, layers=3)
    together = spread(maps, every, learned)
    for b in range(2):
        for k in range(3):
            alone = spread(maps[b:b + 1, k:k + 1],
                           [layer[b:b + 1] for layer in every],
                           learned[b:b + 1])
            torch.testing.assert_close(together[b, k], alone[0, 0],
                                       rtol=1e-4, atol=1e-5)


def test_maps_of_zeros_stay():
    got = AttentionSpread(0.4)(torch.zeros(2, 3, 3, 4), attention())
    assert got.shape == (2, 3, 3, 4) and not got.any()


