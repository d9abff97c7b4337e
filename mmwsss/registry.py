"""Registries of mmwsss: children of mmengine's, with scope ``mmwsss``.

Parts of other OpenMMLab packages are named with their scope, for example
``mmseg.EncoderDecoder`` or ``mmpretrain.VisionTransformer``; importing their
registries here is what makes such names resolvable.
"""
import contextlib
import io
import warnings

import mmpretrain.registry  # noqa: F401
import mmseg.registry  # noqa: F401
from mmengine import registry as root
from mmengine.registry import Registry

from .versions import warn_of_untested_versions

warn_of_untested_versions()


def _import_quietly() -> None:
    """Import mmseg's data sets without notices of parts nobody uses here.

    mmcv warns of an operator that mmcv-lite lacks, and mmseg prints, at each
    import, that it found no OneDL, and warns of a default of its loss that is
    the one wanted. Whatever else is said is said.
    """
    warnings.filterwarnings(
        'ignore', 'Fail to import ``MultiScaleDeformableAttention``')
    warnings.filterwarnings('ignore', r'Default ``avg_non_ignore`` is False')
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        import mmseg.datasets  # noqa: F401
    for line in printed.getvalue().splitlines():
        if line != 'Could not import OneDL':
            print(line)


_import_quietly()


def _child(name: str, parent: Registry, room: str) -> Registry:
    """A registry whose own parts live in ``mmwsss.<room>``."""
    return Registry(name, parent=parent, scope='mmwsss',
                    locations=[f'mmwsss.{room}'])


MODELS = _child('model', root.MODELS, 'models')
DATASETS = _child('dataset', root.DATASETS, 'datasets')
TRANSFORMS = _child('transform', root.TRANSFORMS, 'datasets')
METRICS = _child('metric', root.METRICS, 'evaluation')
HOOKS = _child('hook', root.HOOKS, 'engine')
OPTIM_WRAPPER_CONSTRUCTORS = _child('optimizer wrapper constructor',
                                    root.OPTIM_WRAPPER_CONSTRUCTORS, 'engine')
# Kinds of parts that mmwsss takes from mmengine as they are. The Runner looks
# every kind up in the config's default scope, so each needs its child.
RUNNERS = _child('runner', root.RUNNERS, 'engine')
LOOPS = _child('loop', root.LOOPS, 'engine')
DATA_SAMPLERS = _child('data sampler', root.DATA_SAMPLERS, 'datasets')
MODEL_WRAPPERS = _child('model wrapper', root.MODEL_WRAPPERS, 'models')
WEIGHT_INITIALIZERS = _child('weight initializer', root.WEIGHT_INITIALIZERS,
                             'models')
OPTIMIZERS = _child('optimizer', root.OPTIMIZERS, 'engine')
OPTIM_WRAPPERS = _child('optim_wrapper', root.OPTIM_WRAPPERS, 'engine')
PARAM_SCHEDULERS = _child('parameter scheduler', root.PARAM_SCHEDULERS,
                          'engine')
EVALUATOR = _child('evaluator', root.EVALUATOR, 'evaluation')
TASK_UTILS = _child('task util', root.TASK_UTILS, 'models')
VISUALIZERS = _child('visualizer', root.VISUALIZERS, 'visualization')
VISBACKENDS = _child('vis_backend', root.VISBACKENDS, 'visualization')
LOG_PROCESSORS = _child('log_processor', root.LOG_PROCESSORS, 'engine')
# Kinds of parts that only mmwsss has.
LABEL_SOURCES = Registry(
    'label source', scope='mmwsss', locations=['mmwsss.datasets'])
REFINERS = Registry(
    'refiner', scope='mmwsss', locations=['mmwsss.refiners'])
SCORERS = Registry(
    'scorer', scope='mmwsss', locations=['mmwsss.evaluation'])


def forget_pretrained(node: dict) -> None:
    """Set each ``pretrained`` in a model's config to None, in place.

    For models whose weights come from a checkpoint: those that training
    started from need not be there.

    Args:
        node (dict): The config of a model or of a part of one.
    """
    for key, value in node.items():
        if key == 'pretrained':
            node[key] = None
        elif isinstance(value, dict):
            forget_pretrained(value)
