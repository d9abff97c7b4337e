"""Batches of images of one size."""
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

from mmengine.dist import get_dist_info

from mmwsss.registry import DATA_SAMPLERS


def same_size_batches(sizes: Sequence[Tuple[int, int]],
                      batch_size: int) -> List[List[int]]:
    """Group images of equal size, in the order of their first image.

    Args:
        sizes (Sequence[tuple[int, int]]): Height and width of each image.
        batch_size (int): Most images of a batch.

    Returns:
        list[list[int]]: Indices of the images of each batch. They depend on
        the sizes alone, not on which images are left to do, so that a resumed
        run computes the same batches.
    """
    by_size: Dict[Tuple[int, int], List[int]] = {}
    for index, (height, width) in enumerate(sizes):
        by_size.setdefault((height, width), []).append(index)
    return [members[start:start + batch_size]
            for members in by_size.values()
            for start in range(0, len(members), batch_size)]


@DATA_SAMPLERS.register_module()
class FixedBatchSampler:
    """Yields given batches; processes of a distributed run share them.

    Args:
        batches (list[list[int]]): Indices of the images of each batch.
        sampler (object, optional): Not used; mmengine gives one to every
            batch sampler.
        batch_size (int, optional): Not used, for the same reason.
    """

    def __init__(self,
                 batches: List[List[int]],
                 sampler: Optional[object] = None,
                 batch_size: Optional[int] = None) -> None:
        rank, world_size = get_dist_info()
        self.batches = batches[rank::world_size]

    def __iter__(self) -> Iterator[List[int]]:
        return iter(self.batches)

    def __len__(self) -> int:
        return len(self.batches)
