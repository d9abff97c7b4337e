from .hooks import (
    CheckpointHook,
    DisplacementMeanHook,
    LateLossesHook,
    LocalizationVisualizationHook,
    NonFiniteLossHook,
)
from .localize_loop import LocalizeLoop, LocalizeValLoop
from .map_writer import MapWriter
from .optim_wrapper import BFloat16OptimWrapper
from .optim_wrapper_constructor import TokenOptimWrapperConstructor
from .poly_warmup import PolyWarmupLR
from .runner import CheckedRunner

__all__ = [
    'BFloat16OptimWrapper', 'CheckedRunner', 'CheckpointHook',
    'DisplacementMeanHook', 'LateLossesHook',
    'LocalizationVisualizationHook', 'LocalizeLoop', 'LocalizeValLoop',
    'MapWriter', 'NonFiniteLossHook', 'PolyWarmupLR',
    'TokenOptimWrapperConstructor'
]
