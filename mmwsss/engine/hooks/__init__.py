from .checkpoint import CheckpointHook
from .displacement_mean import DisplacementMeanHook
from .localization_visualization import LocalizationVisualizationHook
from .loss_weights import LateLossesHook
from .non_finite_loss import NonFiniteLossHook

__all__ = [
    'CheckpointHook', 'DisplacementMeanHook', 'LateLossesHook',
    'LocalizationVisualizationHook', 'NonFiniteLossHook'
]
