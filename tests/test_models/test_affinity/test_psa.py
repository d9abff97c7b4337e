"""PSA's AffinityNet against the published one, and its background."""
import pytest
import torch
from affinity_nets import PREPROCESSOR, taps
from parity_files import close, published_resnet38

from mmwsss.conversion.layouts import LAYOUTS
from mmwsss.models import PSA
from mmwsss.ops import feature_affinity
from mmwsss.ops.pixel_pairs import inner
from mmwsss.ops.random_walk import search_offsets


@torch.no_grad()
def test_psa_affinity_parity(resnet38_file):
    model = published_resnet38(dict(
        type='PSA', backbone=dict(type='ResNet38d'),
        data_preprocessor=PREPROCESSOR), resnet38_file, 'aff', LAYOUTS['psa'])
    affinity = feature_affinity(model.features(resnet38_file['input']), 5)
    close(inner(affinity, 5).flatten(2), resnet38_file['aff/hash/aff'])
    # The published pairs start only where all partners are inside.
    height, width = affinity.shape[-2:]
    dense = torch.eye(height * width)
    for (dy, dx), pair in zip(search_offsets(5), affinity[0]):
        for y in range(height - 4):
            for x in range(4, width - 4):
                i, j = y * width + x, (y + dy) * width + x + dx
                dense[i, j] = dense[j, i] = pair[y, x]
    close(dense, resnet38_file['aff/hash/aff_dense'])


@pytest.mark.parametrize('settings, background', [
    (dict(alpha=2), 0.7**2), (dict(background=0.1), 0.1)])
def test_a_map_is_the_share_against_background(monkeypatch, settings,
                                               background):
    model = PSA(taps(), PREPROCESSOR, widths=(8, 8), test_cfg=settings)
    # Where all pixels are alike, a walk leaves constant maps as they are.
    monkeypatch.setattr(model, 'features', lambda x: torch.zeros(1, 4, 6, 8))
    walked = model.walk(None, torch.full((1, 1, 6, 8), 0.3))
    torch.testing.assert_close(
        walked, torch.full_like(walked, 0.3 / (0.3 + background)))


def test_more_widths_than_taps_are_named():
    with pytest.raises(ValueError, match='PSA.widths.*ViTTaps has 5 taps'):
        PSA(taps(), PREPROCESSOR, widths=(8, ) * 6)
