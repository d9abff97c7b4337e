from .base import BaseAffinity
from .irn import IRN
from .psa import PSA

__all__ = ['IRN', 'PSA', 'BaseAffinity']
