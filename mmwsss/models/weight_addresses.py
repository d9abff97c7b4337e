"""Mmengine's addresses of weights, read without running code.

``init_cfg=dict(type='Pretrained', checkpoint=...)`` of any part goes through
mmengine's loaders, which unpickle a file whatever it asks for. Importing this
puts the one door, :mod:`mmwsss.files.checkpoints`, in their place.
"""
from typing import Any, Callable

from mmengine.runner.checkpoint import (
    CheckpointLoader,
    get_deprecated_model_names,
    get_external_models,
    get_mmcls_models,
    get_torchvision_models,
)

from mmwsss.files.checkpoints import all_weights, read_checkpoint
from mmwsss.problems import DataError


def read_address(filename: str, map_location: Any = None) -> dict:
    """Read a checkpoint from a path or URL.

    Args:
        filename (str): Its address.
        map_location: Not used: weights go where the model is.

    Returns:
        dict: See :func:`mmwsss.files.checkpoints.read_checkpoint`.

    Raises:
        FileNotFoundError: If it is not there.
        DataError: If it is no checkpoint, asks to run code or holds weights
            that are not finite.
    """
    checkpoint = read_checkpoint(filename)
    all_weights(checkpoint, filename)  # raises for what is not finite
    return checkpoint


def _named(models: Callable[[], dict]) -> Callable[..., dict]:
    """A loader of weights that a table names (``torchvision://resnet50``)."""
    def load(filename: str, map_location: Any = None) -> dict:
        name = filename.partition('://')[2]
        name = get_deprecated_model_names().get(name, name)
        if name not in models():
            raise DataError(f'checkpoint {filename}: no such name is known')
        return read_address(models()[name])

    return load


def _backbone_of(load: Callable[..., dict]) -> Callable[..., dict]:
    """The same, but the weights of the backbone alone."""
    def load_backbone(filename: str, map_location: Any = None) -> dict:
        state = all_weights(load(filename), filename)
        return dict(state_dict={
            key.removeprefix('backbone.'): value
            for key, value in state.items() if key.startswith('backbone.')})

    return load_backbone


def _refuse(filename: str, map_location: Any = None) -> dict:
    raise DataError(f'checkpoint {filename}: fetch the file by hand and give '
                    'its path')


for prefixes, loader in (
        ('', read_address),
        (('http://', 'https://'), read_address),
        (('modelzoo://', 'torchvision://'), _named(get_torchvision_models)),
        (('open-mmlab://', 'openmmlab://'), _named(get_external_models)),
        ('mmcls://', _backbone_of(_named(get_mmcls_models))),
        (('pavi://', r'(\S+\:)?s3://', r'(\S+\:)?petrel://'), _refuse)):
    CheckpointLoader.register_scheme(prefixes, loader, force=True)
