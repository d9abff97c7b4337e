"""Weights that a training starts from, in any ViT key layout."""
import math
import re
from typing import TYPE_CHECKING, Sequence, Tuple

from mmengine.logging import print_log
from mmpretrain.models.utils import resize_pos_embed
from torch import Tensor, nn

from mmwsss.files.checkpoints import (
    CONVERTER,
    StateDict,
    backbone_weights,
)
from mmwsss.models.key_names import VIT_NAMES, rename
from mmwsss.problems import DataError

if TYPE_CHECKING:  # that module imports this one
    from mmwsss.models.backbones.token_vit import TokenViT


def rename_keys(state: StateDict,
                table: Sequence[Tuple[str, str]]) -> StateDict:
    """Apply (pattern, replacement) pairs to every key, in order.

    Args:
        state (dict[str, Tensor]): Weights by name.
        table (Sequence[tuple[str, str]]): Regular expressions, and what
            :func:`re.sub` puts in their place.

    Returns:
        dict[str, Tensor]: The same weights under their new names.
    """
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


def load_vit_weights(vit: 'TokenViT', source: str) -> None:
    """Load pre-trained weights into a ViT of mmpretrain's design.

    Position embeddings are interpolated to the model's grid. Weights that the
    model does not have, such as a classifier, are left out and logged.

    Args:
        vit (TokenViT): The model, with its grid of patches.
        source (str): Path or URL of the checkpoint.

    Raises:
        DataError: If a weight of the model is missing or has another shape.
    """
    state = to_mmpretrain_keys(backbone_weights(source))
    for key, value in state.items():
        if value.is_complex():
            raise DataError(f'checkpoint {source}: {key} holds complex '
                            'numbers; these are no weights of a ViT')
    state = {k: v.float() for k, v in state.items()}
    if 'pos_embed' in state:
        state['pos_embed'] = fit_pos_embed(state['pos_embed'], vit, source)
    state = vit.adapt_weights(state)
    _load_all(vit, state, source,
              'Known layouts: DINO, DeiT, timm, mmpretrain; choose the `arch` '
              f'and `patch_size` that belong to this file; {CONVERTER}')


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
    load_named_weights(model, backbone_weights(source), source)


def load_named_weights(model: nn.Module, state: StateDict,
                       source: str) -> None:
    """:func:`load_backbone_weights` for weights that were read.

    Args:
        model (nn.Module): A backbone.
        state (dict[str, Tensor]): Weights under the names of the model.
        source (str): Where they come from, for errors.

    Raises:
        DataError: If a weight of the model is missing or has another shape.
    """
    _load_all(model, {**batch_counters(model), **state}, source,
              f'Give weights of a {type(model).__name__}; {CONVERTER}')


def batch_counters(model: nn.Module) -> StateDict:
    """The model's counters of batches that its batch norms have seen.

    Old files and MXNet's do not have them. Nothing reads them, so the model's
    own fill the gap.

    Args:
        model (nn.Module): The model.

    Returns:
        dict[str, Tensor]: The counters by name.
    """
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


def fit_pos_embed(pos_embed: Tensor, vit: 'TokenViT',
                   source: str) -> Tensor:
    """Resize (1, extra + n, D) position embeddings to the model's grid."""
    if pos_embed.ndim != 3 or not pos_embed.shape[1]:
        raise DataError(f'checkpoint {source}: pos_embed has shape '
                        f'{tuple(pos_embed.shape)}, not (1, tokens, channels)')
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
