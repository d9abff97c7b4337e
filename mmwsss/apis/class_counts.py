"""Model and data sets have to agree on the number of classes."""
import copy
from typing import (
    Any,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
)

import torch
from mmengine.config import Config
from mmengine.model import is_model_wrapper
from torch import nn

from mmwsss.models.localizers.base import BaseLocalizer
from mmwsss.problems import ConfigError
from mmwsss.registry import DATASETS, MODELS, forget_pretrained

LOADERS = ('train', 'val', 'test')
HEADS = ('decode_head', 'auxiliary_head')


def check_class_counts(cfg: Config,
                       model: Optional[nn.Module] = None,
                       loaders: Sequence[str] = LOADERS) -> None:
    """Raise if the model has other numbers of classes than the data sets.

    A localizer's C classes are those without background, a segmentor's heads
    have C + 1. An affinity network refines whatever maps it is given and has
    no number of classes.

    Args:
        cfg (Config): With ``model`` and the data loaders. Data sets are not
            built: what they read need not be there yet.
        model (nn.Module, optional): As built from ``cfg.model``. Defaults to
            None: it is built for this, without memory where it can be.
        loaders (Sequence[str]): Whose data sets count: 'train', 'val' and
            'test', those of them that are there.

    Raises:
        ConfigError: Naming the option, the data set and the right number.
    """
    if model is None:
        model = _without_weights(cfg.model)
    inner: Any = model
    while is_model_wrapper(inner):
        inner = inner.module
    for name in loaders:
        loader = cfg.get(f'{name}_dataloader') or {}
        for dataset in plain_datasets(loader.get('dataset')):
            classes = dataset_classes(dataset)
            if classes:
                _compare(inner, cfg.model, classes, f'{name}_dataloader')


def _without_weights(model_cfg: dict) -> nn.Module:
    model_cfg = copy.deepcopy(model_cfg)
    forget_pretrained(model_cfg)
    try:
        with torch.device('meta'):
            return MODELS.build(copy.deepcopy(model_cfg))
    except Exception:  # some read numbers from tensors as they are built
        return MODELS.build(model_cfg)


def plain_datasets(node: Any) -> Iterator[dict]:
    """Configs of data sets; one that wraps others stands for these.

    Args:
        node: A data set's config, a list of them, or None.

    Yields:
        dict: One that wraps no other.
    """
    if isinstance(node, (list, tuple)):
        for one in node:
            yield from plain_datasets(one)
    elif isinstance(node, dict):
        inner = node.get('datasets', node.get('dataset'))
        if inner is None:
            yield node
        else:
            yield from plain_datasets(inner)


def dataset_classes(dataset: dict) -> List[str]:
    """Names of a data set's classes; none where it does not say.

    Args:
        dataset (dict): Its config; it is not built.

    Returns:
        list[str]: With the background, where it has one.
    """
    return list(_metainfo(dataset).get('classes') or ())


def _metainfo(dataset: dict) -> Mapping[str, Any]:
    kind: Any = dataset.get('type')
    if isinstance(kind, str):
        kind = DATASETS.get(kind)
    source = dataset.get('classes_of')
    if source is not None:
        named: Any = DATASETS.get(source)
        return named.METAINFO
    if hasattr(kind, '_load_metainfo'):
        return kind._load_metainfo(dataset.get('metainfo'))
    return dataset.get('metainfo') or {}


def config_classes(cfg: Config) -> List[str]:
    """Names of the classes of a config's data sets; none if none says.

    Args:
        cfg (Config): With data loaders; the first that names classes counts.

    Returns:
        list[str]: With the background, where it has one.
    """
    return list(config_metainfo(cfg).get('classes') or ())


def config_metainfo(cfg: Config) -> Mapping[str, Any]:
    """Classes and colours of a config's data sets; empty if none says.

    Args:
        cfg (Config): With data loaders; the first that names classes counts.
    """
    for name in LOADERS:
        loader = cfg.get(f'{name}_dataloader') or {}
        for dataset in plain_datasets(loader.get('dataset')):
            if dataset_classes(dataset):
                return _metainfo(dataset)
    return {}


def _compare(model: nn.Module, model_cfg: dict, classes: List[str],
             loader: str) -> None:
    for option, count, background in _counts(model, model_cfg):
        names = list(classes)
        if background is False and names[:1] == ['background']:
            names = names[1:]
        if count == len(names):
            continue
        shown = ', '.join(names[:5]) + (', ...' if len(names) > 5 else '')
        hint = ''
        if not background and count == len(classes):
            hint = '; the background does not count here'
        elif background and count == len(classes) - 1:
            hint = '; the background counts here'
        raise ConfigError(
            f'{option}={count}, but the data set of {loader} has {len(names)} '
            f'classes ({shown}){hint}; set {option}={len(names)}, or mend '
            "the data set's metainfo.classes")


def _counts(model: nn.Module, model_cfg: dict
            ) -> Iterator[Tuple[str, int, bool]]:
    """Option, its value, and whether background is one of the classes."""
    count = getattr(model, 'num_classes', None)
    if isinstance(model, BaseLocalizer) and type(count) is int:
        option = ('model.num_classes' if 'num_classes' in model_cfg
                  else 'model.backbone.num_classes')
        yield option, count, False
    for name in HEADS:
        heads: Any = getattr(model, name, None)
        several = isinstance(heads, nn.ModuleList)
        for i, head in enumerate(heads if several else [heads]):
            count = getattr(head, 'num_classes', None)
            if type(count) is int:
                option = f'model.{name}.{i}' if several else f'model.{name}'
                yield f'{option}.num_classes', count, True
