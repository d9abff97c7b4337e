"""The random walk of IRN, against the published code and the dense form."""
import math
import re

import pytest
import torch
from parity_files import close, read

from mmwsss.ops import affinity_walk, random_walk
from mmwsss.ops.random_walk import (
    chebyshev_of_power,
    edge_affinity,
    path_points,
    search_offsets,
)


def test_parity_with_irn(test_data):
    stored = read(test_data('parity', 'irn.npz'))
    maps, edge = (torch.from_numpy(stored[f'rw/{k}']) for k in ('x', 'edge'))
    outputs = [name for name in stored if name.startswith('rw/out_')]
    assert outputs
    for name in outputs:
        beta, exp_times = map(int, re.fullmatch(
            r'rw/out_beta(\d+)_exp(\d+)', name).groups())
        got = random_walk(maps, edge[0], 5, beta, exp_times)
        # The dense matrix of the published code gathers rounding errors.
        close(got, stored[name][:, 0], 2e-5 if exp_times <= 4 else 2e-4)


def test_paths_parity_with_irn(test_data):
    stored = read(test_data('parity', 'irn.npz'))
    names = [name.split('/')[1] for name in stored
             if name.endswith('/search_dst')]
    assert names
    for name in names:
        radius = int(re.match(r'r(\d+)_', name)[1])
        offsets = search_offsets(radius)
        assert sorted(map(tuple, stored[f'path/{name}/search_dst'].tolist())
                      ) == sorted(offsets)
        paths = [path for key in stored
                 if key.startswith(f'path/{name}/search_paths_')
                 for path in stored[key].tolist()]
        if paths:
            assert sorted(map(sorted, paths)) == sorted(
                sorted(map(list, path_points(o))) for o in offsets)


def dense_walk(maps, edge, radius, beta, exp_times):
    """Matrix power, in the obvious way."""
    affinity = edge_affinity(edge, radius)
    height, width = edge.shape
    matrix = torch.eye(height * width, dtype=edge.dtype)
    for (dy, dx), pair in zip(search_offsets(radius), affinity):
        for y in range(height):
            for x in range(width):
                if y + dy < height and 0 <= x + dx < width:
                    i, j = y * width + x, (y + dy) * width + x + dx
                    matrix[i, j] = matrix[j, i] = pair[y, x]**beta
    matrix /= matrix.sum(0, keepdim=True)
    power = torch.linalg.matrix_power(matrix, 2**exp_times)
    return ((maps * (1 - edge)).flatten(1) @ power).view(maps.shape)


@pytest.mark.parametrize('exp_times', [0, 1, 3, 8])
@pytest.mark.parametrize('size', [(6, 7), (1, 9), (9, 2)])
def test_equals_the_dense_matrix_power(size, exp_times):
    generator = torch.Generator().manual_seed(0)
    maps = torch.rand(2, *size, generator=generator, dtype=torch.double)
    edge = torch.rand(size, generator=generator, dtype=torch.double)
    torch.testing.assert_close(
        random_walk(maps, edge, 4, 2., exp_times),
        dense_walk(maps, edge, 4, 2., exp_times), rtol=0, atol=1e-9)


@pytest.mark.parametrize('exponent', [1, 2, 7, 64, 1024])
def test_a_power_in_chebyshev_polynomials(exponent):
    coefficients = chebyshev_of_power(exponent)
    assert sum(coefficients) == pytest.approx(1, abs=1e-14)
    angles = torch.linspace(0, math.pi, 99, dtype=torch.double)
    got = sum(c * (k * angles).cos() for k, c in enumerate(coefficients))
    torch.testing.assert_close(got, angles.cos()**exponent, rtol=0,
                               atol=1e-11)
    # Far fewer terms than the exponent, where it is large.
    assert len(coefficients) <= min(exponent + 1, 8 * exponent**0.5)


def test_without_a_power_all_neighbours_weigh_the_same():
    maps = torch.eye(6, 7, dtype=torch.double)[None]
    edge = torch.full((6, 7), 0.5, dtype=torch.double)
    torch.testing.assert_close(random_walk(maps, edge, 4, 0., 3),
                               dense_walk(maps, edge, 4, 0., 3))


def test_nothing_crosses_a_full_edge():
    edge = torch.zeros(8, 11)
    edge[:, 5] = 1
    maps = torch.zeros(1, 8, 11)
    maps[0, 3, 2] = 1
    spread = random_walk(maps, edge)
    assert (spread[0, :, 6:] == 0).all() and (spread[0, :, :5] > 0).all()


def test_sizes_have_to_agree():
    with pytest.raises(ValueError, match='differ in size'):
        random_walk(torch.zeros(1, 4, 4), torch.zeros(4, 5))


def test_a_batch_is_walked_image_by_image():
    generator = torch.Generator().manual_seed(0)
    maps = torch.rand(3, 2, 6, 7, generator=generator)
    edge = torch.rand(3, 6, 7, generator=generator)
    together = random_walk(maps, edge, 3, 2., 4)
    alone = torch.stack([random_walk(m, e, 3, 2., 4)
                         for m, e in zip(maps, edge)])
    torch.testing.assert_close(together, alone)


def psa_pairs(aff_dense, grid):
    """PSA's pairs: only from pixels whose neighbours are all inside."""
    height, width = grid
    offsets = search_offsets(5)
    pairs = torch.zeros(len(offsets), height, width)
    for p, (dy, dx) in enumerate(offsets):
        for y in range(height - 4):
            for x in range(4, width - 4):
                pairs[p, y, x] = aff_dense[y * width + x,
                                           (y + dy) * width + x + dx]
    return pairs


def test_parity_with_psa(test_data):
    stored = read(test_data('parity', 'psa.npz'))
    grid = stored['grid'].tolist()
    affinity = psa_pairs(torch.from_numpy(stored['aff_dense']), grid)
    cases = [name[:-3] for name in stored if name.endswith('/rw')]
    assert cases
    for case in cases:  # e.g. psa_a16_b8_t8, mct_bg039_b8_t6
        beta, steps = map(int, re.search(r'_b(\d+)_t(\d+)$', case).groups())
        scores = torch.from_numpy(stored[f'{case}/cam_vec']).view(-1, *grid)
        want = torch.from_numpy(stored[f'{case}/rw']).view_as(scores)
        close(affinity_walk(scores, affinity, 5, beta, steps), want, 2e-4)
