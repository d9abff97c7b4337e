from .base import BaseRefiner, RefinerChain
from .dense_crf import DenseCRF
from .par import PAR
from .random_walk import RandomWalk
from .segment_vote import SegmentVote

__all__ = [
    'BaseRefiner', 'DenseCRF', 'PAR', 'RandomWalk', 'RefinerChain',
    'SegmentVote'
]
