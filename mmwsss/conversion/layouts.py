"""Published checkpoints under this project's parameter names, and back."""
from collections import Counter
from dataclasses import dataclass
from typing import Callable, Dict, Optional, Tuple

import torch
from torch import nn

from mmwsss.files.checkpoints import StateDict
from mmwsss.models.key_names import (
    VIT_NAMES,
    NameTable,
    backwards,
    find,
    rename,
    within,
)
from mmwsss.problems import DataError


@dataclass(frozen=True)
class Layout:
    """How a published code names its weights.

    Attributes:
        names: Their names and ours, see :mod:`mmwsss.models.key_names`.
        drop: (name, reason) of weights that have no place here.
        refuse: (name, reason) of weights that mark another network.
        added: (name, other name) of weights that are only ever added to
            another one.
        prefix: What all names may begin with.
        container: Where its checkpoints keep the weights; None for bare ones.
        unused: Its weights -> those that it has and never reads, so that it
            loads what goes back to it. None: it cannot go back.
    """
    names: NameTable
    drop: Tuple[Tuple[str, str], ...] = ()
    refuse: Tuple[Tuple[str, str], ...] = ()
    added: Tuple[Tuple[str, str], ...] = ()
    prefix: str = ''
    container: Optional[str] = None
    unused: Optional[Callable[[StateDict], StateDict]] = None


def _nothing(state: StateDict) -> StateDict:
    return {}


def _mctformer_unused(state: StateDict) -> StateDict:
    tokens = state['cls_token']
    width = tokens.shape[-1]
    return {'pos_embed_cls': torch.zeros_like(tokens),
            'pos_embed': torch.zeros(1, 1 + 14 * 14, width),
            'norm.weight': torch.ones(width),
            'norm.bias': torch.zeros(width)}


def _toco_unused(state: StateDict) -> StateDict:
    width = state['encoder.cls_token'].shape[-1]
    return {'encoder.head.weight': torch.zeros(1000, width),
            'encoder.head.bias': torch.zeros(1000)}


_CLASSIFIER = "ImageNet's classifier, which nothing here uses"
_DISTILLED = (('dist_token', 'a distilled DeiT has a second class token that '
               'no network here knows; take the plain one'), )

MCTFORMER_PLUS = Layout(
    names=(
        ('cls_token', 'backbone.visual_tokens'),
        ('pos_embed_pat', 'backbone.pos_embed'),
        *within(VIT_NAMES[:6], '', 'backbone.'),
        ('head.', 'patch_head.conv.'),
    ),
    drop=(('pos_embed', 'its network never reads it'),
          ('norm.', 'its network never reads it')),
    added=(('pos_embed_cls', 'cls_token'), ),
    container='model',
    unused=_mctformer_unused)

TOCO = Layout(
    names=(
        *within(VIT_NAMES, 'encoder.', 'backbone.'),
        ('decoder.conv6.', 'decode_head.first.'),
        ('decoder.conv7.', 'decode_head.second.'),
        ('decoder.conv8.', 'decode_head.conv_seg.'),
        *[(f'{theirs}.{a}', f'{ours}.{b}')
          for theirs, ours in (('proj_head', 'projection'),
                               ('proj_head_t', 'teacher'))
          for a, b in (('mlp.', 'mlp.'),
                       ('last_layer.weight_g', 'last_length'),
                       ('last_layer.weight_v', 'last_direction'))],
        ('classifier.', 'classifier.'),
        ('aux_classifier.', 'aux_classifier.'),
    ),
    drop=(('encoder.head.', _CLASSIFIER), ),
    unused=_toco_unused)

# Its scripts load with strict=False: the other names need not come back.
IRN = Layout(
    names=(
        ('stage1.0.', 'backbone.conv1.'),
        ('stage1.1.', 'backbone.bn1.'),
        *[(f'stage{i + 1}.0.', f'backbone.layer{i}.') for i in range(1, 5)],
        *[(f'fc_edge{i + 1}.', f'edge_taps.{i}.') for i in range(5)],
        ('fc_edge6.', 'edge_out.'),
        *[(f'fc_dp{i + 1}.', f'displacement_taps.{i}.') for i in range(5)],
        ('fc_dp6.', 'displacement_deep.'),
        ('fc_dp7.', 'displacement_out.'),
        ('mean_shift.running_mean', 'displacement_mean'),
    ),
    drop=(
        *[(name, 'the same weights once more, under another name')
          for name in ('resnet50.', 'backbone.', 'edge_layers.', 'dp_layers.',
                       'fc_dp7.4.')],
        ('path_indices*', 'no weights: the pairs of pixels of its loss'),
        ('disp_target', 'no weights: the pairs of pixels of its loss'),
    ),
    unused=_nothing)

PSA = Layout(
    names=(
        *[(f'f8_{i + 3}.', f'taps.{i}.') for i in range(3)],
        ('f9.', 'joint.'),
        ('', 'backbone.'),
    ),
    unused=_nothing)

RESNET38_CLS = Layout(
    names=(('fc8.', 'classifier.'), ('', 'backbone.')), unused=_nothing)

RESNET38_SEG = Layout(
    names=(
        ('fc8_seg_conv1.', 'decode_head.conv.'),
        ('fc8_seg_conv2.', 'decode_head.conv_seg.'),
        ('', 'backbone.'),
    ),
    unused=_nothing)

# Block a of MXNet's names is the first one, which has no number here.
RESNET38_MXNET = Layout(
    names=(
        ('arg:conv1a_weight', 'conv1a.weight'),
        *[pair for theirs, ours in (('*a', '*'), ('*b*', '*_*'))
          for pair in (
              (f'arg:res{theirs}_branch*_weight', f'b{ours}.conv_branch*.'
               'weight'),
              *[(f'{kind}:bn{theirs}_branch*_{a}', f'b{ours}.bn_branch*.{b}')
                for kind, a, b in (('arg', 'gamma', 'weight'),
                                   ('arg', 'beta', 'bias'),
                                   ('aux', 'moving_mean', 'running_mean'),
                                   ('aux', 'moving_var', 'running_var'))])],
        ('arg:bn7_gamma', 'bn7.weight'),
        ('arg:bn7_beta', 'bn7.bias'),
        ('aux:bn7_moving_mean', 'bn7.running_mean'),
        ('aux:bn7_moving_var', 'bn7.running_var'),
    ),
    drop=(('arg:linear1000_weight', _CLASSIFIER),
          ('arg:linear1000_bias', _CLASSIFIER)))

DINO = Layout(
    names=VIT_NAMES, prefix='backbone.', refuse=_DISTILLED,
    drop=(('head.', "DINO's projection, which only its training uses"), ))

DEIT = Layout(names=VIT_NAMES, refuse=_DISTILLED,
              drop=(('head.', _CLASSIFIER), ))

TIMM = Layout(names=VIT_NAMES, refuse=_DISTILLED,
              drop=(('head.', _CLASSIFIER), ('pre_logits.', _CLASSIFIER)))


def convert(state: StateDict, layout: Layout, source: str = 'the checkpoint'
            ) -> Tuple[StateDict, Dict[str, str]]:
    """Rename the weights of a published checkpoint.

    Weights whose names the layout does not know keep them, for
    :func:`check_converted` to find.

    Args:
        state (dict): Its weights.
        layout (Layout): How it names them.
        source (str): What errors call it.

    Returns:
        tuple: The weights under our names; the weights left out, with the
        reason.

    Raises:
        DataError: If it is of another network.
    """
    state = {key.removeprefix(layout.prefix): value
             for key, value in state.items()}
    for key in state:
        if find(key, layout.refuse) is not None:
            raise DataError(f'{source} has a {key}: '
                            f'{find(key, layout.refuse)}')
    reasons = {key: find(key, layout.drop) for key in sorted(state)}
    dropped = {key: why for key, why in reasons.items() if why is not None}
    kept = {key: value for key, value in state.items() if key not in dropped}
    for key, other in layout.added:
        if key not in kept or other not in kept:
            raise DataError(f'{source} does not fit the config: '
                            f'{other if key in kept else key} is missing')
        kept[other] = kept[other] + kept.pop(key)
    names = {key: rename(key, layout.names) or key for key in kept}
    twice = [name for name, n in Counter(names.values()).items() if n > 1]
    if twice:
        both = [key for key, name in names.items() if name == twice[0]]
        raise DataError(f'{source}: {" and ".join(both)} are the same weight')
    return {names[key]: value for key, value in kept.items()}, dropped


def convert_back(state: StateDict, layout: Layout,
                 source: str = 'the checkpoint') -> StateDict:
    """Rename our weights to those of the published code.

    Args:
        state (dict): Weights of a model of ours.
        layout (Layout): How the published code names them.
        source (str): What errors call it.

    Returns:
        dict: All weights that the published network has.

    Raises:
        DataError: If it has no name for one of ours.
    """
    table = backwards(layout.names)
    names = {key: rename(key, table) for key in state}
    ours = [key for key, name in names.items() if name is None]
    if ours:
        raise DataError(f'{source}: {len(ours)} weights are not in the '
                        f'published network, first: {ours[0]}')
    published = {names[key]: value for key, value in state.items()}
    return {**published, **layout.unused(published)}


def check_converted(state: StateDict, model: nn.Module, source: str,
                    names: NameTable = ()) -> None:
    """Raise unless converted weights are exactly those of a model.

    Args:
        state (dict): The weights, under our names.
        model (nn.Module): The model.
        source (str): What errors call the checkpoint.
        names (NameTable): The layout's, so that errors give both names.

    Raises:
        DataError: Naming what is missing, left over or of another shape.
    """
    own = model.state_dict()
    wrong = [f'{_both(key, names)} is missing' for key in own
             if key not in state]
    wrong += [f'{_both(key, names)} is left over' for key in state
              if key not in own]
    wrong += [f'{_both(key, names)} is {tuple(state[key].shape)}, the config '
              f'needs {tuple(value.shape)}' for key, value in own.items()
              if key in state and state[key].shape != value.shape]
    if wrong:
        raise DataError(f'{source} does not fit the config: {len(wrong)} '
                        f'differences, first: {wrong[0]}')


def _both(key: str, names: NameTable) -> str:
    """Our name of a weight, and theirs where it is another one."""
    theirs = rename(key, backwards(names))
    return key if theirs in (None, key) else f'{theirs} (here {key})'
