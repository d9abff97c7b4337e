"""Batches of images of one size."""
from mmwsss.datasets.batches import FixedBatchSampler, same_size_batches


def test_batches_of_one_size():
    sizes = [(4, 6), (6, 4), (4, 6), (4, 6), (6, 4), (5, 5)]
    assert same_size_batches(sizes, 2) == [[0, 2], [3], [1, 4], [5]]
    assert list(FixedBatchSampler([[0, 2], [3]])) == [[0, 2], [3]]
