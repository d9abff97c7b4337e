"""PAR against the published code, and what it should do to a map."""
import re

import torch
from parity_files import close, read

from mmwsss.ops import pixel_adaptive_refinement


def test_parity_with_toco(test_data):
    stored = read(test_data('parity', 'toco_par.npz'))
    images = torch.from_numpy(stored['imgs'])
    outputs = [name for name in stored if name.startswith('out_')]
    assert outputs
    for name in outputs:  # e.g. out_lowres_iter10, out_dil13_iter3
        low, dilations, iterations = re.fullmatch(
            r'out_(lowres_)?(?:dil(\d+)_)?iter(\d+)', name).groups()
        options = dict(iterations=int(iterations))
        if dilations:
            options['dilations'] = tuple(map(int, dilations))
        maps = torch.from_numpy(stored['masks_lowres' if low else 'masks'])
        close(pixel_adaptive_refinement(images, maps, **options),
              stored[name], 1e-5)


def test_a_map_spreads_over_one_colour_and_stops_at_another():
    images = torch.zeros(1, 3, 16, 16)
    images[..., 8:] = 1
    maps = torch.zeros(1, 1, 16, 16)
    maps[..., 4:12, 2:6] = 1
    before = maps[..., 8:].sum()
    refined = pixel_adaptive_refinement(images, maps, dilations=(1, 2))
    assert before == 0
    assert refined[0, 0, 8, 7] > 0.3 and refined[0, 0, 8, 8] < 0.1
