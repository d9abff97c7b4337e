from .dense_crf import DenseCRF
from .par import PAR

__all__ = ['PAR', 'DenseCRF']
