"""Weights on disk: read without running code, compared, loaded."""
import argparse
import hashlib
import os
import pickle
from typing import Any, Dict, List, Sequence, Union
from urllib.parse import urlparse

import torch
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from torch import Tensor, nn

from mmwsss.problems import DataError

StateDict = Dict[str, Tensor]


def read_checkpoint(source: Union[str, os.PathLike[str]]) -> dict:
    """Read a ``.pth`` file from a path or URL; its pickle cannot run code.

    Tensors, containers, numbers, strings and what mmengine's Runner stores in
    its checkpoints are accepted; any other object is refused. A URL is
    downloaded once into torch hub's cache.

    Args:
        source (str | PathLike): Path or http(s) URL.

    Returns:
        dict: The checkpoint as saved.

    Raises:
        FileNotFoundError: If the path does not exist or the URL cannot be
            downloaded.
        DataError: If the file is not a checkpoint or holds foreign objects.
    """
    source = os.fspath(source)
    path = source
    if urlparse(source).scheme in ('http', 'https'):
        path = _download(source)
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f'checkpoint {source}: no such file. Give the path of a .pth file '
            'or an http(s) URL.')
    try:
        with torch.serialization.safe_globals(_runner_globals()):
            checkpoint = torch.load(path, map_location='cpu',
                                    weights_only=True)
    except Exception as error:  # a damaged file can raise anything
        reason = str(error).strip().splitlines()[0] if str(error) else 'empty'
        raise DataError(
            f'checkpoint {source}: not a readable weights file, or it asks to '
            f'run code ({reason}). Use a file of plain tensors.') from error
    if not isinstance(checkpoint, dict):
        raise DataError(f'checkpoint {source}: expected a dict of tensors, '
                         f'got {type(checkpoint).__name__}')
    return checkpoint


def _download(url: str) -> str:
    folder = os.path.join(torch.hub.get_dir(), 'checkpoints')
    path = os.path.join(folder, os.path.basename(urlparse(url).path))
    if not os.path.isfile(path):
        os.makedirs(folder, exist_ok=True)
        print_log(f'Downloading {url} to {path}', 'current')
        try:
            torch.hub.download_url_to_file(url, path)
        except OSError as error:
            raise FileNotFoundError(
                f'checkpoint {url}: download failed ({error}). Fetch it by '
                f'hand and give its path, or place it at {path}.') from error
    return path


def _history_method(owner: type, name: str) -> object:
    """What ``getattr`` means in a Runner's checkpoint, and nothing else."""
    from mmengine.logging.history_buffer import HistoryBuffer
    if owner is not HistoryBuffer or name.startswith('_'):
        raise pickle.UnpicklingError(f'attribute {name} of {owner}')
    return getattr(owner, name)


def _runner_globals() -> List[Any]:
    """Classes in checkpoints of mmengine's Runner, and of DINO."""
    import numpy as np
    from mmengine.logging.history_buffer import HistoryBuffer
    core = getattr(np, '_core', None) or np.core
    return [
        HistoryBuffer, np.ndarray, np.dtype, core.multiarray._reconstruct,
        core.multiarray.scalar, (_history_method, 'builtins.getattr'), slice,
        argparse.Namespace,  # DINO's arguments, plain values
    ] + [type(np.dtype(t)) for t in ('float32', 'float64', 'int64', 'uint32')]


def unwrap_state_dict(checkpoint: dict) -> StateDict:
    """Find the weights inside a checkpoint and strip wrapper prefixes.

    Understands what :func:`all_weights` does, and the prefix ``backbone.``;
    what is not of the backbone is left out then.

    Args:
        checkpoint (dict): From :func:`read_checkpoint`.

    Returns:
        dict[str, Tensor]: The weights by name.
    """
    state = all_weights(checkpoint)
    prefix = 'backbone.'
    inner = {k[len(prefix):]: v for k, v in state.items()
             if k.startswith(prefix)}
    return inner or state


def all_weights(checkpoint: dict) -> StateDict:
    """Every weight of a checkpoint, without the prefix ``module.``.

    Understands bare state dicts, ``model`` (DeiT), ``state_dict`` (mmengine)
    and ``teacher`` (DINO).

    Args:
        checkpoint (dict): From :func:`read_checkpoint`.

    Returns:
        dict[str, Tensor]: The weights by name.
    """
    for name in ('state_dict', 'model', 'teacher'):
        if isinstance(checkpoint.get(name), dict):
            checkpoint = checkpoint[name]
            break
    return {k.removeprefix('module.'): v for k, v in checkpoint.items()
            if isinstance(k, str) and isinstance(v, Tensor)}


def load_weights(model: nn.Module, path: str,
                 classes: Sequence[str] = ()) -> None:
    """Load every weight of a checkpoint that this project wrote.

    Args:
        model (nn.Module): The model that the config describes.
        path (str): Path or URL of the checkpoint.
        classes (Sequence[str]): Class names of the data set; compared with
            those that the checkpoint was trained for, where it names them.
            Defaults to none: not compared.

    Raises:
        DataError: If classes, names or shapes differ.
    """
    if is_model_wrapper(model):
        model = model.get_submodule('module')
    checkpoint = read_checkpoint(path)
    trained_for = tuple(
        checkpoint.get('meta', {}).get('dataset_meta', {}).get('classes', ()))
    if classes and trained_for and tuple(classes) != trained_for:
        raise DataError(
            f'checkpoint {path} was trained for {len(trained_for)} classes '
            f'({", ".join(trained_for[:4])}, ...), the config has '
            f'{len(classes)} ({", ".join(classes[:4])}, ...). Use the config '
            'that it was trained with.')
    state = checkpoint.get('state_dict', checkpoint)
    own = model.state_dict()
    wrong = [
        f'{key} is {tuple(state[key].shape)}, expected {tuple(value.shape)}'
        for key, value in own.items()
        if key in state and state[key].shape != value.shape
    ]
    wrong += [f'{key} is missing' for key in own if key not in state]
    wrong += [f'{key} is not in the model' for key in state if key not in own]
    if wrong:
        raise DataError(
            f'checkpoint {path} does not fit the config: {len(wrong)} '
            f'differences, first: {wrong[0]}. Use the config that it was '
            'trained with (class count, arch, parts switched on).')
    model.load_state_dict(state)
    print_log(f'Loaded weights from {path}', 'current')


def weights_digest(path: str) -> str:
    """Fingerprint of the weights in a checkpoint, whatever else is in it.

    Args:
        path (str): Path or URL of the checkpoint.

    Returns:
        str: SHA-256 in hexadecimal.
    """
    weights = read_checkpoint(path)
    weights = weights.get('state_dict', weights)
    digest = hashlib.sha256()
    for key in sorted(weights):
        digest.update(key.encode())
        digest.update(weights[key].contiguous().numpy().tobytes())
    return digest.hexdigest()
