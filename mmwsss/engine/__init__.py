from .hooks import LocalizationVisualizationHook, NonFiniteLossHook
from .optim_wrapper_constructor import TokenOptimWrapperConstructor

__all__ = [
    'LocalizationVisualizationHook', 'NonFiniteLossHook',
    'TokenOptimWrapperConstructor'
]
