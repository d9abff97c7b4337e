"""Reading pre-trained weights without running code, in any ViT key layout."""
import argparse
import math
import os
import pickle
import re
from typing import Dict, Sequence, Tuple, Union
from urllib.parse import urlparse

import torch
from mmengine.logging import print_log
from mmpretrain.models.utils import resize_pos_embed
from torch import Tensor, nn

from mmwsss.models.key_names import VIT_NAMES, rename
from mmwsss.problems import DataError

StateDict = Dict[str, Tensor]


def read_checkpoint(source: Union[str, os.PathLike]) -> dict:
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


def _runner_globals() -> list:
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
    """
    for name in ('state_dict', 'model', 'teacher'):
        if isinstance(checkpoint.get(name), dict):
            checkpoint = checkpoint[name]
            break
    return {k.removeprefix('module.'): v for k, v in checkpoint.items()
            if isinstance(k, str) and isinstance(v, Tensor)}


def rename_keys(state: StateDict,
                table: Sequence[Tuple[str, str]]) -> StateDict:
    """Apply (pattern, replacement) pairs to every key, in order."""
    renamed = {}
    for key, value in state.items():
        for pattern, replacement in table:
            key = re.sub(pattern, replacement, key)
        renamed[key] = value
    return renamed


def to_mmpretrain_keys(state: StateDict) -> StateDict:
    """Rename the ViT weights of DINO, DeiT or timm to mmpretrain's names."""
    return {rename(key, VIT_NAMES) or key: value
            for key, value in state.items()}


def load_vit_weights(vit: nn.Module, source: str) -> None:
    """Load pre-trained weights into a ViT of mmpretrain's design.

    Position embeddings are interpolated to the model's grid. Weights that the
    model does not have, such as a classifier, are left out and logged.

    Args:
        vit (nn.Module): A :class:`mmwsss.models.TokenViT`.
        source (str): Path or URL of the checkpoint.

    Raises:
        DataError: If a weight of the model is missing or has another shape.
    """
    state = to_mmpretrain_keys(unwrap_state_dict(read_checkpoint(source)))
    state = {k: v.float() for k, v in state.items()}
    if 'pos_embed' in state:
        state['pos_embed'] = _fit_pos_embed(state['pos_embed'], vit, source)
    state = vit.adapt_weights(state)
    _load_all(vit, state, source,
              'Known layouts: DINO, DeiT, timm, mmpretrain; choose the `arch` '
              'and `patch_size` that belong to this file.')


def load_backbone_weights(model: nn.Module, source: str) -> None:
    """Load pre-trained weights whose names are those of the model.

    Weights that the model does not have, such as a classifier, are left out
    and logged.

    Args:
        model (nn.Module): A backbone.
        source (str): Path or URL of the checkpoint.

    Raises:
        DataError: If a weight of the model is missing or has another shape.
    """
    state = unwrap_state_dict(read_checkpoint(source))
    _load_all(model, {**batch_counters(model), **state}, source,
              f'Give weights of a {type(model).__name__}.')


def batch_counters(model: nn.Module) -> StateDict:
    """Counters of batch norms: old and MXNet's files lack, nothing reads."""
    return {key: value for key, value in model.state_dict().items()
            if key.endswith('num_batches_tracked')}


def _load_all(model: nn.Module, state: StateDict, source: str,
              remedy: str) -> None:
    """Take every weight of the model from ``state``; log the rest."""
    own = model.state_dict()
    missing = [key for key in own if key not in state]
    if missing:
        raise DataError(
            f'checkpoint {source}: {len(missing)} weights of the '
            f'{type(model).__name__} are not in it, e.g. {missing[0]} (it has '
            f'{next(iter(state), "none")}). {remedy}')
    for key, value in own.items():
        if state[key].shape != value.shape:
            raise DataError(
                f'checkpoint {source}: {key} has shape '
                f'{tuple(state[key].shape)}, the model needs '
                f'{tuple(value.shape)}. {remedy}')
    unused = sorted(set(state) - set(own))
    print_log(f'Loaded {source}; not used: {unused or "nothing"}', 'current')
    model.load_state_dict({key: state[key] for key in own})


def _fit_pos_embed(pos_embed: Tensor, vit: nn.Module, source: str) -> Tensor:
    """Resize (1, extra + n, D) position embeddings to the model's grid."""
    length = pos_embed.shape[1]
    for extra in (1, 0):
        side = math.isqrt(length - extra)
        if side * side + extra == length:
            return resize_pos_embed(pos_embed, (side, side),
                                    vit.patch_resolution,
                                    vit.interpolate_mode, extra)
    raise DataError(
        f'checkpoint {source}: {length} position embeddings are not a square '
        'grid plus one class token (a distilled DeiT? use the plain one).')
