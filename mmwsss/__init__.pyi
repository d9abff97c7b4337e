from . import apis, evaluation, ops, refiners, registry
from .apis import (
    Segmentation,
    WSSSInferencer,
    best_checkpoint,
    compare,
    evaluate_pseudo_labels,
    generate_pseudo_labels,
    list_models,
    load_config,
    run_pipeline,
    sweep,
    test,
    train,
)
from .version import __version__
from .versions import TESTED_VERSIONS, untested_versions

__all__ = [
    'Segmentation', 'TESTED_VERSIONS', 'WSSSInferencer', '__version__',
    'apis', 'best_checkpoint', 'compare', 'evaluate_pseudo_labels',
    'evaluation', 'generate_pseudo_labels', 'list_models', 'load_config',
    'ops', 'refiners', 'registry', 'run_pipeline', 'sweep', 'test',
    'train', 'untested_versions'
]
