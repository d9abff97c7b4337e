from .base import BaseLocalizer, stack_labels
from .mmct import MMCT

__all__ = ['BaseLocalizer', 'MMCT', 'stack_labels']
