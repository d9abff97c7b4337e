"""A model's numbers of classes follow the data set's classes."""
from typing import Any, Iterator, List, Mapping, Tuple

from mmengine.config import Config

from .class_counts import HEADS, config_classes

SHIPPED = (10, 20, 80, 100)
"""Classes of DigitScenes, VOC, COCO and OpenImages30k, without background."""


def derive_class_counts(cfg: Config, given: Mapping[str, Any]) -> List[str]:
    """Set each inherited ``num_classes`` to what the data sets need, in place.

    A config that inherits a shipped one and has classes of its own need not
    say how many: numbers that are the shipped data set's (20 of VOC without
    background, 21 with it) become its own. Other numbers are somebody's own;
    they stay, and :func:`~mmwsss.apis.class_counts.check_class_counts` judges
    them.

    Args:
        cfg (Config): With ``model`` and data loaders; it is changed.
        given (Mapping[str, Any]): Options of the command line, which stay.

    Returns:
        list[str]: Full names of the numbers that were set.
    """
    classes = config_classes(cfg)
    own = len(classes) - (classes[:1] == ['background'])
    if own < 1 or 'model' not in cfg:
        return []
    changed = []
    for name, holder in _counts(cfg.model, 'model'):
        background = any(head in name for head in HEADS)
        value = holder['num_classes'] - background
        if value in SHIPPED and value != own and name not in given:
            holder['num_classes'] = own + background
            changed.append(name)
    return changed


def _counts(node: Any, name: str) -> Iterator[Tuple[str, Any]]:
    """Full names of all ``num_classes`` in a config, and what holds them."""
    if isinstance(node, dict):
        if type(node.get('num_classes')) is int:
            yield f'{name}.num_classes', node
        for key, value in node.items():
            yield from _counts(value, f'{name}.{key}')
    elif isinstance(node, (list, tuple)):
        for place, value in enumerate(node):
            yield from _counts(value, f'{name}.{place}')
