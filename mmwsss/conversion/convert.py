"""Converting published checkpoints, with everything accounted for."""
import io
from collections import Counter, defaultdict
from typing import Dict, Optional, Tuple

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import nn

from mmwsss.conversion.layouts import (
    LAYOUTS,
    Layout,
    find_layout,
    read_weights,
    usual_config,
)
from mmwsss.files.atomic import require_writable_file, write_atomically
from mmwsss.files.checkpoints import StateDict
from mmwsss.models.key_names import NameTable, backwards, find, rename
from mmwsss.models.pretrained import batch_counters
from mmwsss.problems import ConfigError, DataError


def convert_weights(layout_name: str, source: str, target: str,
                    cfg: Optional[Config] = None,
                    reverse: bool = False) -> None:
    """Write a published checkpoint as one for a config, or the reverse.

    Backbones become ``pretrained`` weights of the config's backbone, other
    layouts a checkpoint of its model. What is left out is printed, with the
    reason.

    Args:
        layout_name (str): A name in :data:`LAYOUTS`: how the published code
            names its weights.
        source (str): Path or URL of the published checkpoint (MXNet's: a
            path); in reverse, of one of ours.
        target (str): The ``.pth`` to write.
        cfg (Config, optional): Config with the network that the weights are
            for. Defaults to the layout's usual one in ``configs/``.
        reverse (bool): From our names to the published ones. Defaults to
            False.

    Raises:
        ConfigError: If there is no such layout, or nothing writes it.
        FileNotFoundError: If there is no such source.
        DataError: If a weight is missing, left over or of another shape, the
            source cannot be read or the target not written.
    """
    layout = find_layout(layout_name)
    if reverse and layout.unused is None:
        writable = [name for name in LAYOUTS
                    if LAYOUTS[name].unused is not None]
        raise ConfigError(f'--reverse: layout {layout_name} has no writer; '
                          f'those that have one: {", ".join(writable)}')
    target = require_writable_file(target)
    if cfg is None:
        cfg = Config.fromfile(usual_config(layout_name))
    config = cfg.filename or 'the config'
    if reverse:
        ours = read_weights(source)
        check_converted(ours, _network(layout, cfg, ours), source,
                        config=config)
        theirs = convert_back(ours, layout, source)
        _save({layout.container: theirs} if layout.container else theirs,
              len(theirs), target)
    else:
        ours, dropped = convert(layout.read(source), layout, source)
        model = _network(layout, cfg, ours)
        ours = {**batch_counters(model), **_kept(layout, model.state_dict()),
                **ours}
        check_converted(ours, model, source, layout.names, config)
        _print_dropped(dropped)
        _save(dict(state_dict=ours), len(ours), target)


def _network(layout: Layout, cfg: Config, state: StateDict) -> nn.Module:
    """The network that a layout's weights are for."""
    # Parts of other packages find ours by this scope.
    scope = cfg.get('default_scope', 'mmwsss')
    with DefaultScope.overwrite_default_scope(scope):
        return layout.network(cfg, state)


def _kept(layout: Layout, state: StateDict) -> StateDict:
    """Those of our weights that a published checkpoint does not have."""
    return {key: value for key, value in state.items()
            if layout.kept and key.startswith(layout.kept)}


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
    kept = _kept(layout, state)
    names = {key: rename(key, table) for key in state if key not in kept}
    ours = [key for key, name in names.items() if name is None]
    if ours:
        raise DataError(f'{source}: {len(ours)} weights are not in the '
                        f'published network, first: {ours[0]}')
    published = {str(name): state[key] for key, name in names.items()}
    assert layout.unused is not None  # the caller has seen that it goes back
    return {**published, **layout.unused(published)}


def check_converted(state: StateDict, model: nn.Module, source: str,
                    names: NameTable = (),
                    config: str = 'the config') -> None:
    """Raise unless converted weights are exactly those of a model.

    Args:
        state (dict): The weights, under our names.
        model (nn.Module): The model.
        source (str): What errors call the checkpoint.
        names (NameTable): The layout's, so that errors give both names.
        config (str): What errors call the config of the model.

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
        raise DataError(f'{source} does not fit {config}: {len(wrong)} '
                        f'differences, first: {wrong[0]}. Take the config of '
                        'the network that it is for (arch, number of classes)'
                        )


def _both(key: str, names: NameTable) -> str:
    """Our name of a weight, and theirs where it is another one."""
    theirs = rename(key, backwards(names))
    return key if theirs in (None, key) else f'{theirs} (here {key})'


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
