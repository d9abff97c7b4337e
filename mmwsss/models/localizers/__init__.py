from .base import BaseLocalizer, stack_labels
from .cam import CAMLocalizer
from .clip import CLIPLocalizer
from .mmct import MMCT

__all__ = [
    'BaseLocalizer', 'CAMLocalizer', 'CLIPLocalizer', 'MMCT', 'stack_labels'
]
