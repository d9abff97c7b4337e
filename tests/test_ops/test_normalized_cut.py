"""Normalized cuts of all thresholds, against one partition at a time."""
import pytest
import torch

from mmwsss.ops import normalized_cuts
from mmwsss.ops.normalized_cut import NO_PARTITION
from mmwsss.ops.pixel_adaptive_refinement import neighbour_weights, neighbours

GRID = torch.arange(20) / 20


def one_by_one(image, scores, thresholds, dilations):
    """The formula, with a mask for each threshold."""
    weights = neighbour_weights(image[None], dilations)[0].double()
    cuts = []
    for threshold in thresholds:
        mask = (scores > threshold).double()
        if mask.mean() in (0, 1):
            cuts.append(NO_PARTITION)
            continue
        other = torch.cat(list(neighbours(mask[None, None], dilations)))[:, 0]
        cut = (weights * (mask != other)).sum()
        ties = weights.sum(0)
        cuts.append(float(cut / (ties * mask).sum()
                          + cut / (ties * (1 - mask)).sum()))
    return torch.tensor(cuts, dtype=torch.float64)


@pytest.mark.parametrize('size', [(9, 13), (30, 7), (2, 3), (1, 1)])
@pytest.mark.parametrize('values', ['continuous', 'on the grid', 'two'])
def test_one_pass_is_each_threshold_on_its_own(size, values):
    image, scores = torch.rand(3, *size), torch.rand(size)
    if values == 'on the grid':
        scores = (20 * scores).floor() / 20
    elif values == 'two':
        scores = (scores > 0.6).float()
    dilations = (1, 2, 4)
    found = normalized_cuts(image, scores, GRID, dilations)
    torch.testing.assert_close(
        found, one_by_one(image, scores, GRID, dilations).clamp(max=2),
        rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('function', [torch.sqrt, torch.square])
def test_it_moves_with_maps_that_are_scaled(function):
    image, scores = torch.rand(3, 16, 16), torch.rand(16, 16).double()
    grid = GRID.double() + 0.003
    torch.testing.assert_close(
        normalized_cuts(image, scores, grid),
        normalized_cuts(image, function(scores), function(grid)))


def test_the_edge_of_the_photo_is_cheaper_than_any_other():
    image = torch.full((3, 24, 32), 0.2) + 0.02 * torch.rand(3, 24, 32)
    image[:, 6:18, 10:22] += 0.6
    rows, columns = torch.meshgrid(torch.arange(24), torch.arange(32),
                                   indexing='ij')
    # A pyramid over the square, whose sides lie at 0.5.
    distance = torch.maximum((rows - 11.5).abs(), (columns - 15.5).abs())
    scores = (1 - distance / 12.5).clamp(0, 1)
    cuts = normalized_cuts(image, scores, GRID)
    assert GRID[cuts.argmin()] == pytest.approx(0.5, abs=0.05)
    assert cuts.min() < 0.3 < 0.7 < cuts[int(20 * 0.75)]


@pytest.mark.parametrize('value', [0., 0.3, 1.])
def test_flat_maps_part_nothing(value):
    cuts = normalized_cuts(torch.rand(3, 8, 8), torch.full((8, 8), value),
                           GRID)
    assert (cuts == NO_PARTITION).all()
