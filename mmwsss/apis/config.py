"""Reading a config and options, with mistakes found before anything starts."""
import errno
import importlib
import inspect
import logging
import os
import os.path as osp
import sys
from typing import Any, Dict, List, Optional, Sequence

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmwsss.datasets.transforms.loading import LOADERS
from mmwsss.problems import ConfigError, unknown_name

from . import yaml_configs  # noqa: F401  YAML is read without running code
from .derived_counts import derive_class_counts
from .lenient import take_damaged_photos
from .options import meant, names_a_place
from .part_arguments import unknown_argument
from .setting_checks import all_settings, check_settings

_RUNNER_OPTIONS = tuple(inspect.signature(Runner).parameters)
READ_LATER = frozenset({
    *_RUNNER_OPTIONS, 'auto_scale_lr', 'localize_batch_size',
    'localize_pipeline', 'localize_workers', 'map_dtype', 'map_stride',
    'lenient', 'max_side',
    'refine_workers', 'refiners', 'score_classes', 'scorers', 'submission',
    'test_crf', 'test_list', 'text_attributes', 'text_classes',
    'text_clusters', 'text_phrases', 'text_template', 'train_list',
    'tta_model', 'tta_pipeline', 'val_list'})
"""Top-level names that are read after the config file; add what you read."""


def load_config(path: str,
                cfg_options: Optional[dict] = None,
                work_dir: Optional[str] = None) -> Config:
    """Read a config file and apply options from the command line.

    A top-level *variable* of the config, such as ``data_root`` or
    ``train_pipeline``, is used in many places of it. Setting the variable, or
    something in it, changes every place that holds its value. An option that
    names nothing in the config, or changes nothing, is an error. A text that
    begins with ``~/`` is a path in the home folder.

    Args:
        path (str): Config file.
        cfg_options (dict, optional): ``{'a.b.c': value}``.
        work_dir (str, optional): Defaults to the config's own, else
            ``work_dirs/<name of the config>``.

    Returns:
        Config: With ``work_dir`` set.

    Raises:
        ConfigError: If the file is missing or wrong, an option is unknown or
            of the wrong kind, or a number is none that a run can use.
    """
    path = osp.expanduser(path)
    cfg = _read(path)
    for key, value in (cfg_options or {}).items():
        _check_option(cfg, key, path)
        _check_used_up(cfg, key, path)
        _set(cfg, key, value, path)
    check_settings(cfg, cfg_options or {}, path)
    if work_dir is not None:
        cfg.work_dir = work_dir
    elif cfg.get('work_dir') is None:
        name = osp.splitext(osp.basename(path))[0]
        cfg.work_dir = osp.join('work_dirs', name)
    _expand_home(cfg)
    _set_max_side(cfg)
    if cfg.get('lenient'):
        take_damaged_photos(cfg)
    # Data sets are built before there is a Runner to do this.
    init_default_scope(cfg.get('default_scope', 'mmwsss'))
    derive_class_counts(cfg, cfg_options or {})
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
            if step.type in LOADERS:
                step.max_side = longest


def _read(path: str) -> Config:
    if osp.isdir(path):
        raise ConfigError(f'config {path}: is a folder; name a file in it')
    if not osp.isfile(path):
        raise ConfigError(f'config {path}: no such file')
    try:
        cfg = Config.fromfile(path, import_custom_modules=False)
        _import_parts(cfg, osp.dirname(osp.abspath(path)))
        return cfg
    except Exception as error:  # a config is code: it can raise anything
        if getattr(error, 'errno', None) in (errno.EMFILE, errno.ENFILE):
            raise  # not the config's fault
        kind = ('' if isinstance(error, ConfigError)
                else f'{type(error).__name__}: ')
        text = ' '.join(str(error).split())
        raise ConfigError(f'config {path}: {kind}{text}') from error


def _import_parts(cfg: Config, folder: str) -> None:
    """Import the modules that ``custom_imports`` names.

    They may lie beside the config or where one stands. Those folders stay on
    the path, behind all others: worker processes import the parts again.
    """
    wanted = cfg.get('custom_imports')
    if not wanted:
        return
    for place in (folder, os.getcwd()):
        if place not in sys.path:
            sys.path.append(place)
    names = wanted.get('imports') or []
    for name in [names] if isinstance(names, str) else names:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if wanted.get('allow_failed_imports'):
                continue
            if error.name != name.split('.')[0]:
                raise  # the module is there; it lacks something
            raise ConfigError(
                f'custom_imports: no module {name!r} beside the config, in '
                'this folder or on PYTHONPATH') from error


def _set(cfg: Config, key: str, value: Any, path: str) -> None:
    """Set an option wherever it is used."""
    root, dot, inside = key.partition('.')
    current = _get(cfg, key)
    place = names_a_place(key) or (not dot and any(
        names_a_place(name) for name, held in all_settings(cfg)
        if isinstance(held, str) and held == current))
    value = meant(key, value, current, place)
    if not dot and isinstance(current, str):
        if not _replaced(cfg, key, value) and key not in READ_LATER:
            print_log(f'--cfg-options {key}: {path} uses it nowhere',
                      'current', logging.WARNING)
    elif root not in READ_LATER:
        for name in _places(cfg, root):
            cfg.merge_from_dict({name + dot + inside: value})
    cfg.merge_from_dict({key: value})


def _get(cfg: Config, key: str) -> Any:
    """What the config has there; None where it has nothing."""
    node = cfg
    for part in key.split('.'):
        if isinstance(node, (list, tuple)):
            node = node[int(part)]
        else:
            node = node.get(part)
    return node


def _replaced(cfg: Config, key: str, value: Any) -> bool:
    """Set all that holds the text of a variable; whether there is any."""
    old = cfg[key]
    # An empty text stands in many places for other reasons.
    places = [name for name, held in all_settings(cfg)
              if isinstance(held, str) and held == old and name != key
              and (old or name.split('.')[-1] == key)]
    if old:
        replace_everywhere(cfg, old, value)
    else:
        for name in places:
            cfg.merge_from_dict({name: value})
    return bool(places)


def _places(cfg: Config, root: str) -> List[str]:
    """Names of all that holds the value of a top-level list or group."""
    if not isinstance(cfg[root], (dict, list, tuple)):
        return []
    return [name for name, held in all_settings(cfg)
            if held and type(held) is type(cfg[root]) and held == cfg[root]
            and name.split('.')[0] != root]


def _changes_something(cfg: Config, key: str) -> bool:
    """Whether an option reaches what is read after the config file."""
    root = key.split('.')[0]
    if root in READ_LATER or isinstance(cfg[root], str):
        return True
    return any(name.split('.')[0] in READ_LATER
               for name in _places(cfg, root))


def _expand_home(node: Any) -> None:
    """Put the home folder for ``~`` in every text of a config, in place."""
    for key, value in list(node.items() if hasattr(node, 'items')
                           else enumerate(node)):
        if isinstance(value, str) and value[:1] == '~':
            node[key] = osp.expanduser(value)
        elif isinstance(value, tuple):
            parts = list(value)
            _expand_home(parts)
            node[key] = tuple(parts)
        elif isinstance(value, (dict, list)):
            _expand_home(value)


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
        # A list such as train_pipeline may be used in one of them only.
        useful = [key in found and _changes_something(cfg, key)
                  for cfg, found in zip(configs, fitting)]
        for found, use in zip(fitting, useful):
            if any(useful) and not use:
                found.pop(key, None)
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
        if isinstance(node, (list, tuple)):
            if not part.isdigit() or int(part) >= len(node):
                return False
            node = node[int(part)]
        elif not hasattr(node, 'keys') or part not in node:
            return False
        else:
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
            if isinstance(node, tuple):
                whole = '.'.join(parts[:depth])
                raise ConfigError(
                    f'--cfg-options {key}: {whole} is {node}; give all of it, '
                    f'"{whole}=(...)"')
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
            # A new argument of a part (a dict with a type).
            if last and depth > 0 and 'type' in node:
                wrong = unknown_argument(node, part)
                if wrong:
                    raise ConfigError(f'--cfg-options {key}: {wrong}')
                return
            known = [*node.keys(), *_full_names(cfg, key)]
            raise ConfigError(f'--cfg-options {key}: '
                              f'{unknown_name("option", part, known)} '
                              f'in {path}')
        node = node[part]


def _full_names(cfg: Config, name: str) -> List[str]:
    """``['train_cfg.max_epochs']`` for ``max_epochs``."""
    return sorted((full for full, _ in all_settings(cfg)
                   if full.split('.')[0] in READ_LATER
                   and full.endswith(f'.{name}')),
                  key=lambda full: full.count('.'))


def _check_used_up(cfg: Config, key: str, path: str) -> None:
    """Raise for a variable that was used up when the file was read.

    ``num_classes`` stands in several places of a config. Unlike a path, a
    number cannot be found again there by its value; nor can a group of
    options of which others were made.
    """
    root, _, inside = key.partition('.')
    if _changes_something(cfg, key):
        return
    names = ([] if inside[:1].isdigit()  # the second step of any list
             else _full_names(cfg, inside or root))
    number = type(cfg[root]) in (int, float)
    what, example = ('number', 5) if number else ('variable', 'VALUE')
    if not inside and not isinstance(cfg[root], (dict, list, tuple)):
        names = names or [f'model.{key}']
    if not names:
        raise ConfigError(
            f'--cfg-options {key}: nothing in {path} holds the value of '
            f'{root} any more, so that setting it would change nothing; set '
            'what was made of it, by its full name')
    raise ConfigError(
        f'--cfg-options {key}: {path} has used this {what} in other settings '
        f'already; write a config with _base_ = {path!r} that sets these, or '
        f'give each of them ({names[0]}={example} ...)')
