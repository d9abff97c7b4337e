"""The random walk of IRN, against the published code and the dense form."""
import numpy as np
import pytest
import torch

from mmwsss.ops import random_walk
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
