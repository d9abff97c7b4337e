from .comparison import compare
from .config import load_config
from .config_texts import config_texts
from .doubtful_labels import find_doubtful_labels
from .endings import generation_ending, training_ending
from .evaluation import evaluate_pseudo_labels
from .figures import write_figure
from .fitting import fit, show_plan
from .generation import generate_pseudo_labels, split_folder
from .inferencer import Segmentation, WSSSInferencer
from .model_names import list_models
from .over_smoothing import analyse_over_smoothing
from .pipeline import run_pipeline
from .planning import plan
from .predicting import predict
from .report import write_report
from .result_tables import write_tables
from .sweeping import parse_grid, sweep
from .testing import test, write_submission
from .training import best_checkpoint, train

__all__ = [
    'Segmentation', 'WSSSInferencer', 'analyse_over_smoothing',
    'best_checkpoint', 'compare', 'config_texts', 'evaluate_pseudo_labels',
    'find_doubtful_labels', 'fit', 'generate_pseudo_labels',
    'generation_ending', 'list_models', 'load_config', 'parse_grid',
    'plan', 'predict', 'run_pipeline', 'show_plan', 'split_folder',
    'sweep', 'test', 'train', 'training_ending', 'write_figure',
    'write_report', 'write_submission', 'write_tables'
]
