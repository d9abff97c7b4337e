"""PAR against the published code, and what it should do to a map."""
import numpy as np
import pytest
import torch

from mmwsss.ops import pixel_adaptive_refinement


@pytest.mark.parametrize('name, maps, options', [
    ('out_iter1', 'masks', dict(iterations=1)),
    ('out_iter10', 'masks', {}),
    ('out_lowres_iter10', 'masks_lowres', {}),
    ('out_dil13_iter3', 'masks', dict(iterations=3, dilations=(1, 3))),
])
def test_parity_with_toco(test_data, name, maps, options):
    with np.load(test_data('parity', 'toco_par.npz')) as file:
        images, maps, want = (
            torch.from_numpy(file[k]) for k in ('imgs', maps, name))
    got = pixel_adaptive_refinement(images, maps, **options)
    assert (got - want).abs().max() <= 1e-5 * want.abs().max()


def test_a_map_spreads_over_one_colour_and_stops_at_another():
    images = torch.zeros(1, 3, 16, 16)
    images[..., 8:] = 1
    maps = torch.zeros(1, 1, 16, 16)
    maps[..., 4:12, 2:6] = 1
    before = maps[..., 8:].sum()
    refined = pixel_adaptive_refinement(images, maps, dilations=(1, 2))
    assert before == 0
    assert refined[0, 0, 8, 7] > 0.3 and refined[0, 0, 8, 8] < 0.1
