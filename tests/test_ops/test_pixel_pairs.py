"""Pairs of near pixels, against PSA's published code."""
import numpy as np
import torch

from mmwsss.ops import feature_affinity
from mmwsss.ops.pixel_pairs import pair_labels
from mmwsss.ops.random_walk import search_offsets


def test_psa_pair_labels_parity(test_data):
    with np.load(test_data('parity', 'psa.npz')) as file:
        labels = torch.from_numpy(file['aff_label/label']).long()[None]
        for got, name in zip(pair_labels(labels, 5, 255),
                             ('bg_pos', 'fg_pos', 'neg')):
            want = file[f'aff_label/{name}']
            assert np.array_equal(got[0].flatten(1).numpy(), want != 0)


def test_affinity_outside_the_image_is_zero():
    affinity = feature_affinity(torch.zeros(1, 2, 3, 4), 5)
    for (dy, dx), pair in zip(search_offsets(5), affinity[0]):
        for y in range(3):
            for x in range(4):
                inside = y + dy < 3 and 0 <= x + dx < 4
                assert pair[y, x] == float(inside)
