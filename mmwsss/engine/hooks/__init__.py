from .displacement_mean import DisplacementMeanHook
from .localization_visualization import LocalizationVisualizationHook
from .non_finite_loss import NonFiniteLossHook

__all__ = [
    'DisplacementMeanHook', 'LocalizationVisualizationHook',
    'NonFiniteLossHook'
]
