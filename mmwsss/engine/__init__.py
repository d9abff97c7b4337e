from .hooks import (
    DisplacementMeanHook,
    LocalizationVisualizationHook,
    NonFiniteLossHook,
)
from .optim_wrapper import BFloat16OptimWrapper
from .optim_wrapper_constructor import TokenOptimWrapperConstructor

__all__ = [
    'BFloat16OptimWrapper', 'DisplacementMeanHook',
    'LocalizationVisualizationHook', 'NonFiniteLossHook',
    'TokenOptimWrapperConstructor'
]
