from .comparison import compare
from .config import load_config
from .evaluation import evaluate_pseudo_labels
from .fitting import fit, show_plan
from .generation import generate_pseudo_labels, split_folder
from .over_smoothing import analyse_over_smoothing
from .pipeline import run_pipeline
from .planning import plan
from .predicting import predict
from .result_tables import write_tables
from .sweeping import parse_grid, sweep
from .testing import test, write_submission
from .training import best_checkpoint, train

__all__ = [
    'analyse_over_smoothing', 'best_checkpoint', 'compare',
    'evaluate_pseudo_labels', 'fit', 'generate_pseudo_labels', 'load_config',
    'parse_grid', 'plan', 'predict', 'run_pipeline', 'show_plan',
    'split_folder', 'sweep', 'test', 'train', 'write_submission',
    'write_tables'
]
