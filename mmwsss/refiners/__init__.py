from .base import BaseRefiner, RefinerChain
from .dense_crf import DenseCRF
from .par import PAR
from .random_walk import RandomWalk

__all__ = ['BaseRefiner', 'DenseCRF', 'PAR', 'RandomWalk', 'RefinerChain']
