from mmwsss.problems import ConfigError

from .comparison import compare
from .config import load_config
from .evaluation import evaluate_pseudo_labels
from .generation import generate_pseudo_labels
from .pipeline import run_pipeline
from .testing import test, write_submission
from .training import best_checkpoint, train

__all__ = [
    'ConfigError', 'best_checkpoint', 'compare', 'evaluate_pseudo_labels',
    'generate_pseudo_labels', 'load_config', 'run_pipeline', 'test', 'train',
    'write_submission'
]
