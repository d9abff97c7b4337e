from .adv_cam import AdvCAM
from .base import BaseLocalizer, stack_labels
from .cam import CAMLocalizer
from .clip import CLIPLocalizer
from .mmct import MMCT

__all__ = [
    'AdvCAM', 'BaseLocalizer', 'CAMLocalizer', 'CLIPLocalizer', 'MMCT',
    'stack_labels'
]
