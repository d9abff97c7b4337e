"""The option to take photos that show signs of damage."""
from typing import Any

from mmengine.config import Config

from mmwsss.datasets.transforms.loading import LOADERS


def take_damaged_photos(cfg: Config) -> None:
    """Have all pipelines of a config take photos that show damage, in place.

    ``localize_pipeline`` stays as it is, as maps are known by it again:
    ``lenient`` tells :func:`mmwsss.apis.generate_pseudo_labels`.

    Args:
        cfg (Config): From :func:`mmwsss.apis.load_config`.
    """
    cfg.lenient = True
    for key in ('train_dataloader', 'val_dataloader', 'test_dataloader',
                'tta_pipeline'):
        make_lenient(cfg.get(key))


def make_lenient(node: Any) -> None:
    """Set ``lenient`` of each ``LoadPhoto`` inside a part of a config.

    Args:
        node (Any): A group or list of settings; others are left alone.
    """
    if isinstance(node, dict):
        if str(node.get('type')).split('.')[-1] in LOADERS:
            node['lenient'] = True
        for value in node.values():
            make_lenient(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            make_lenient(value)
