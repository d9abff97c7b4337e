"""The random walk of IRN, against the published code and the dense form."""
import numpy as np
import pytest
import torch

from mmwsss.ops import affinity_walk, random_walk
from mmwsss.ops.random_walk import edge_affinity, path_points, search_offsets


def test_parity_with_irn(test_data):
    with np.load(test_data('parity', 'irn.npz')) as file:
        maps, edge = (torch.from_numpy(file[f'rw/{k}']) for k in ('x', 'edge'))
        for beta in (8, 10):
            for exp_times in (4, 8):
                want = torch.from_numpy(
                    file[f'rw/out_beta{beta}_exp{exp_times}'])[:, 0]
                got = random_walk(maps, edge[0], 5, beta, exp_times)
                tolerance = 2e-5 if exp_times == 4 else 2e-4
                assert (got - want).abs().max() <= tolerance * want.abs().max()


def test_paths_are_those_of_irn(test_data):
    with np.load(test_data('parity', 'irn.npz')) as file:
        for name, radius in (('r5_small', 5), ('r10_small', 10)):
            offsets = file[f'path/{name}/search_dst'].tolist()
            assert sorted(map(tuple, offsets)) == sorted(
                search_offsets(radius))
            keys = [k for k in file.files
                    if k.startswith(f'path/{name}/search_paths_')]
            paths = [path for key in keys for path in file[key].tolist()]
            assert sorted(map(sorted, paths)) == sorted(
                sorted(map(list, path_points(o)))
                for o in search_offsets(radius))


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


@pytest.mark.parametrize('size', [(6, 7), (1, 9), (9, 2)])
def test_equals_the_dense_matrix_power(size):
    generator = torch.Generator().manual_seed(0)
    maps = torch.rand(2, *size, generator=generator, dtype=torch.double)
    edge = torch.rand(size, generator=generator, dtype=torch.double)
    torch.testing.assert_close(
        random_walk(maps, edge, 4, 2., 3), dense_walk(maps, edge, 4, 2., 3))


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


@pytest.mark.parametrize('name, beta, steps', [
    ('psa_a16_b8_t8', 8, 8), ('psa_a4_b4_t3', 4, 3),
    ('mct_bg039_b8_t6', 8, 6), ('mct_bg030_b12_t6', 12, 6)])
def test_parity_with_psa(test_data, name, beta, steps):
    with np.load(test_data('parity', 'psa.npz')) as file:
        grid = file['grid'].tolist()
        affinity = psa_pairs(torch.from_numpy(file['aff_dense']), grid)
        scores = torch.from_numpy(file[f'{name}/cam_vec']).view(-1, *grid)
        want = torch.from_numpy(file[f'{name}/rw']).view_as(scores)
    got = affinity_walk(scores, affinity, 5, beta, steps)
    assert (got - want).abs().max() <= 2e-4 * want.abs().max()
