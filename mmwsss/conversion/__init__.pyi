from .convert import convert_weights
from .layouts import LAYOUTS, usual_config

__all__ = ['LAYOUTS', 'convert_weights', 'usual_config']
