"""Reading a config and options, with mistakes found before anything starts."""
import inspect
import os.path as osp
from typing import Any, Dict, List, Optional, Sequence

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmwsss.problems import ConfigError, unknown_name

_RUNNER_OPTIONS = tuple(inspect.signature(Runner).parameters)


def load_config(path: str,
                cfg_options: Optional[dict] = None,
                work_dir: Optional[str] = None) -> Config:
    """Read a config file and apply options from the command line.

    A top-level *variable* of the config, such as ``data_root`` or
    ``pretrained``, is used in many places of it. Setting the variable changes
    every place that holds its value. An option that names nothing in the
    config is an error.

    Args:
        path (str): Config file.
        cfg_options (dict, optional): ``{'a.b.c': value}``.
        work_dir (str, optional): Defaults to the config's own, else
            ``work_dirs/<name of the config>``.

    Returns:
        Config: With ``work_dir`` set.

    Raises:
        ConfigError: If the file is missing or wrong, or an option is unknown.
    """
    if not osp.isfile(path):
        raise ConfigError(f'config {path}: no such file')
    try:
        cfg = Config.fromfile(path)
    except Exception as error:  # a config is code: it can raise anything
        raise ConfigError(
            f'config {path}: {type(error).__name__}: {error}') from error
    for key, value in (cfg_options or {}).items():
        _check_option(cfg, key, path)
        _check_number(cfg, key, path)
        if '.' not in key and isinstance(cfg[key], str):
            replace_everywhere(cfg, cfg[key], value)
        cfg.merge_from_dict({key: value})
    if work_dir is not None:
        cfg.work_dir = work_dir
    elif cfg.get('work_dir') is None:
        name = osp.splitext(osp.basename(path))[0]
        cfg.work_dir = osp.join('work_dirs', name)
    _set_max_side(cfg)
    # Data sets are built before there is a Runner to do this.
    init_default_scope(cfg.get('default_scope', 'mmwsss'))
    return cfg


def _set_max_side(cfg: Config) -> None:
    """Let every pipeline that is not a segmentor's training keep to it.

    Where a segmentor is trained, photo and mask are resized and cropped
    together anyway.
    """
    longest = cfg.get('max_side')
    if longest is None:
        return
    if type(longest) is not int or longest < 1:
        raise ConfigError(f'max_side={longest!r}: give a number of pixels, or '
                          'None to keep the size of all photos')
    pipelines = [cfg.get('localize_pipeline'), cfg.get('tta_pipeline')]
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        steps = cfg[name].dataset.get('pipeline') if cfg.get(name) else None
        if name != 'train_dataloader' or not any(
                step.type.endswith('LoadAnnotations')
                for step in steps or ()):
            pipelines.append(steps)
    for steps in pipelines:
        for step in steps or ():
            if step.type == 'LoadPhoto':
                step.max_side = longest


def fitting_options(paths: Sequence[str],
                    options: dict) -> List[Dict[str, Any]]:
    """For each config the options that it has.

    Args:
        paths (Sequence[str]): Config files.
        options (dict): ``{'a.b.c': value}``.

    Returns:
        list[dict]: One a config.

    Raises:
        ConfigError: If no config has an option.
    """
    configs = [load_config(path) for path in paths]
    fitting = [{key: value for key, value in options.items()
                if _has_option(cfg, key)} for cfg in configs]
    for key in options:
        if not any(key in found for found in fitting):
            names = {name for cfg in configs
                     for name in (*cfg, *_full_names(cfg, key))}
            raise ConfigError(f'--cfg-options {key}: '
                              f'{unknown_name("option", key, names)} in '
                              f'{", ".join(paths)}')
    return fitting


def _has_option(cfg: Config, key: str) -> bool:
    node = cfg
    for part in key.split('.'):
        if not hasattr(node, 'keys') or part not in node:
            return False
        node = node[part]
    return True


def replace_everywhere(node: Any, old: str, new: Any) -> None:
    """Replace a string wherever it is a value inside a config, in place."""
    items = node.items() if hasattr(node, 'items') else enumerate(node)
    for key, value in list(items):
        if isinstance(value, (dict, list)):
            replace_everywhere(value, old, new)
        elif isinstance(value, str) and value == old:
            node[key] = new


def _check_option(cfg: Config, key: str, path: str) -> None:
    """Raise if an option names nothing in the config."""
    node = cfg
    parts = key.split('.')
    for depth, part in enumerate(parts):
        last = depth == len(parts) - 1
        if isinstance(node, (list, tuple)):
            if not part.isdigit() or int(part) >= len(node):
                raise ConfigError(
                    f'--cfg-options {key}: {".".join(parts[:depth])} is a '
                    f'list of {len(node)}; {part!r} is no index of it')
            node = node[int(part)]
            continue
        if not hasattr(node, 'keys'):
            raise ConfigError(f'--cfg-options {key}: '
                              f'{".".join(parts[:depth])} is {node!r}, not a '
                              'group of options')
        if part not in node and key == 'maps':
            raise ConfigError(f'{path} makes maps and takes none; --maps is '
                              'for configs that refine them, e.g. irn_voc.py')
        if part not in node:
            # A new argument of a part (a dict with a type) is judged by the
            # part itself when it is built.
            if last and depth > 0 and 'type' in node:
                return
            known = [*node.keys(), *_full_names(cfg, key)]
            raise ConfigError(f'--cfg-options {key}: '
                              f'{unknown_name("option", part, known)} '
                              f'in {path}')
        node = node[part]


def _full_names(cfg: Config, name: str) -> List[str]:
    """``['train_cfg.max_epochs']`` for ``max_epochs``."""
    found = []
    groups = [(group, cfg[group]) for group in _RUNNER_OPTIONS if group in cfg]
    for path, node in groups:  # grows
        if isinstance(node, dict):
            if name in node:
                found.append(f'{path}.{name}')
            groups += [(f'{path}.{key}', node[key]) for key in node]
    return found


def _check_number(cfg: Config, key: str, path: str) -> None:
    """Raise for a number that was used up when the file was read.

    ``num_classes`` stands in several places of a config. Unlike a path, a
    number cannot be found again there by its value.
    """
    read_later = {'localize_workers', 'localize_batch_size', 'map_stride',
                  'refine_workers', 'max_side', *_RUNNER_OPTIONS}
    if type(cfg.get(key)) in (int, float) and key not in read_later:
        [name, *_] = _full_names(cfg, key) or [f'model.{key}']
        raise ConfigError(
            f'--cfg-options {key}: {path} has used this number in other '
            f'settings already; write a config with _base_ = {path!r} that '
            f'sets these, or give each of them ({name}=5 ...)')
