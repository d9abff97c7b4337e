from .localization_visualization import LocalizationVisualizationHook
from .non_finite_loss import NonFiniteLossHook

__all__ = ['LocalizationVisualizationHook', 'NonFiniteLossHook']
