"""Localizers that need no training: their weights are the pre-trained ones."""
import os
from typing import Dict, Iterator, Tuple

from mmengine.config import Config

from mmwsss.files.checkpoints import local_weights
from mmwsss.files.digests import file_digest
from mmwsss.problems import ConfigError

# Options of a model that name a file which its maps depend on.
_FILES = ('pretrained', 'text_embeddings')


def needs_no_training(cfg: Config) -> bool:
    """Whether a config describes a localizer without any training.

    It is one whose config has no ``train_cfg``.
    """
    return cfg.get('train_cfg') is None


def check_weights_are_named(cfg: Config) -> None:
    """Raise unless a localizer without training has weights to begin with.

    Raises:
        ConfigError: If its backbone's ``pretrained`` is empty.
    """
    if not cfg.model.backbone.get('pretrained'):
        raise ConfigError(
            f'{cfg.filename}: model.backbone.pretrained names no weights, and '
            'this localizer has no others; give --cfg-options '
            'pretrained=PATH_OR_URL')


def files_digest(model: dict) -> str:
    """Fingerprint of the files that a model without training is made of.

    Args:
        model (dict): Its config.

    Returns:
        str: One digest a file.

    Raises:
        FileNotFoundError: If there are no such weights.
        ConfigError: If another one is not there.
    """
    digests = []
    for option, path in _named_files(model):
        if option == 'pretrained':
            path = local_weights(path)
        elif not os.path.isfile(path):
            raise ConfigError(
                f'{option}: {path}: no such file; write it with tools/'
                'extract_text_embeddings.py --config CONFIG --weights '
                'CLIP_WEIGHTS')
        digests.append(file_digest(path))
    return ' '.join(digests)


def _named_files(node: Dict[str, object]) -> Iterator[Tuple[str, str]]:
    for key, value in sorted(node.items()):
        if key in _FILES and isinstance(value, str):
            yield key, value
        elif isinstance(value, dict):
            yield from _named_files(value)
