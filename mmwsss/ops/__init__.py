from .gwrp import gwrp
from .min_max import min_max
from .threshold_sweep import SweepResult, sweep_histogram, threshold_sweep

__all__ = [
    'SweepResult', 'gwrp', 'min_max', 'sweep_histogram', 'threshold_sweep'
]
