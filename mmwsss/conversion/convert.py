"""Converting published checkpoints, with everything accounted for."""
import copy
import io
import math
from collections import defaultdict
from typing import Dict

import torch
from mmengine.config import Config
from torch import nn

from mmwsss.conversion.layouts import (
    Layout,
    check_converted,
    convert,
    convert_back,
)
from mmwsss.conversion.mxnet_params import read_mxnet_params
from mmwsss.files.atomic import require_writable_file, write_atomically
from mmwsss.files.checkpoints import StateDict, all_weights, read_checkpoint
from mmwsss.models import TokenViT
from mmwsss.models.pretrained import batch_counters
from mmwsss.problems import DataError
from mmwsss.registry import MODELS, forget_pretrained


def convert_checkpoint(cfg: Config, source: str, target: str, layout: Layout,
                       reverse: bool = False) -> None:
    """Write a published checkpoint as one for a config, or the reverse.

    Args:
        cfg (Config): Config whose model the weights are for.
        source (str): Path or URL of the published checkpoint; in reverse, of
            one of ours.
        target (str): The ``.pth`` to write.
        layout (Layout): How the published code names its weights.
        reverse (bool): From our names to the published ones. Defaults to
            False.

    Raises:
        DataError: If a weight is missing, left over or of another shape.
    """
    require_writable_file(target)
    state = all_weights(read_checkpoint(source))
    model = _build(cfg.model)
    if reverse:
        check_converted(state, model, source)
        published = convert_back(state, layout, source)
        _save({layout.container: published} if layout.container else
              published, len(published), target)
    else:
        _convert_for(model, state, source, target, layout)


def convert_resnet38_params(cfg: Config, source: str, target: str,
                            layout: Layout) -> None:
    """Write an MXNet file as ``pretrained`` weights of a config's backbone.

    Args:
        cfg (Config): Config whose model has the backbone.
        source (str): Path of the ``.params`` file.
        target (str): The ``.pth`` to write.
        layout (Layout): How MXNet's file names its weights.

    Raises:
        DataError: If a weight is missing, left over or of another shape.
    """
    require_writable_file(target)
    _convert_for(_build(cfg.model.backbone), read_mxnet_params(source),
                 source, target, layout)


def convert_vit(cfg: Config, source: str, target: str,
                layout: Layout) -> None:
    """Write a published ViT as ``pretrained`` weights of a config's ViT.

    Position embeddings keep their grid: they are interpolated when the
    weights are loaded.

    Args:
        cfg (Config): Config whose model has a ViT as its backbone, or in it.
        source (str): Path or URL of the published weights.
        target (str): The ``.pth`` to write.
        layout (Layout): How the published code names its weights.

    Raises:
        DataError: If a weight is missing, left over or of another shape.
    """
    require_writable_file(target)
    state = all_weights(read_checkpoint(source))
    backbone = cfg.model.backbone
    backbone = backbone.get('vit', backbone)
    kind = MODELS.get(backbone.type)
    if kind is None or not issubclass(kind, TokenViT):
        raise DataError(f'{cfg.filename}: its backbone {backbone.type} is no '
                        'ViT')
    options = {key: backbone[key] for key in ('arch', 'patch_size')
               if key in backbone}
    patch = options.get('patch_size', 16)
    names = (layout.prefix + 'pos_embed', 'pos_embed')
    length = max((state[name].shape[1] for name in names if name in state and
                  state[name].ndim == 3), default=0)
    # Without a grid, what is missing is named below.
    side = math.isqrt(max(1, length - 1))
    plain = TokenViT(img_size=side * patch, **options)
    _convert_for(plain, state, source, target, layout)


def _build(cfg: dict) -> nn.Module:
    cfg = copy.deepcopy(cfg)
    forget_pretrained(cfg)
    return MODELS.build(cfg)


def _convert_for(model: nn.Module, state: StateDict, source: str, target: str,
                 layout: Layout) -> None:
    """Convert, check, tell what is left out, write."""
    state, dropped = convert(state, layout, source)
    state = {**batch_counters(model), **state}
    check_converted(state, model, source, layout.names)
    _print_dropped(dropped)
    _save(dict(state_dict=state), len(state), target)


def _print_dropped(dropped: Dict[str, str]) -> None:
    """One line for each reason."""
    groups = defaultdict(list)
    for key, reason in dropped.items():
        groups[reason].append(key)
    for reason, keys in groups.items():
        more = f', ... ({len(keys)} in all)' if len(keys) > 4 else ''
        print(f'left out ({reason}): {", ".join(keys[:4])}{more}')


def _save(checkpoint: dict, count: int, target: str) -> None:
    buffer = io.BytesIO()
    torch.save(checkpoint, buffer)
    write_atomically(target, buffer.getvalue())
    print(f'{count} weights written to {target}')
