"""Counts, sizes and rates of a config that no run can use."""
import math
from typing import Any, Callable, Dict, Iterator, Tuple

from mmwsss.problems import ConfigError, unknown_name
from mmwsss.registry import OPTIMIZERS


def _whole(least: int) -> Callable[[Any], str]:
    def wrong(value: Any) -> str:
        fits = type(value) is int and value >= least
        return '' if fits else f'give a whole number of at least {least}'
    return wrong


def _whole_or_none(least: int) -> Callable[[Any], str]:
    return lambda value: '' if value is None else (
        _whole(least)(value) and _whole(least)(value) + ', or None')


def _seed(value: Any) -> str:
    if value is None or (type(value) is int and 0 <= value < 2 ** 32):
        return ''
    return 'give a whole number from 0 to 4294967295, or None'


def _rate(value: Any) -> str:
    if type(value) in (int, float) and math.isfinite(value) and value >= 0:
        return ''
    return 'give a number that is not negative'


def _size(value: Any) -> str:
    """Sizes in pixels; -1 in a pair stands for "keep the ratio"."""
    if value is None or isinstance(value, (str, dict)):
        return ''
    parts = value if isinstance(value, (list, tuple)) else [value]
    for part in parts:
        if isinstance(part, (list, tuple)):
            if _size(part):
                return _size(part)
        elif isinstance(part, (int, float)) and not part > 0 and not (
                part == -1 and len(parts) == 2 and max(parts) > 0):
            return 'give a size above 0'
    return ''


def _optimizer(value: Any) -> str:
    """Mmengine asks a class that is not there for its arguments."""
    if not isinstance(value, str) or OPTIMIZERS.get(value) is not None:
        return ''
    names = {*OPTIMIZERS.module_dict, *OPTIMIZERS.parent.module_dict}
    return unknown_name('optimizer', value, sorted(names))


# By the end of an option's name, the longest that fits.
_RULES: Dict[str, Callable[[Any], str]] = {
    'localize_batch_size': _whole(1), 'localize_workers': _whole(0),
    'map_stride': _whole(1), 'refine_workers': _whole_or_none(0),
    'dataloader.batch_size': _whole(1), 'dataloader.num_workers': _whole(0),
    'train_cfg.max_epochs': _whole(1), 'train_cfg.max_iters': _whole(1),
    'train_cfg.val_interval': _whole(1), 'randomness.seed': _seed,
    'logger.interval': _whole(1), 'optimizer.lr': _rate,
    'optimizer.weight_decay': _rate, 'optimizer.momentum': _rate,
    'optimizer.type': _optimizer,
    'crop_size': _size, 'img_size': _size, 'patch_size': _size,
    'size': _size, 'size_divisor': _size, 'scale': _size,
}


def check_settings(cfg: dict, given: Dict[str, Any], path: str) -> None:
    """Raise for a count, size or rate that no run can use.

    Args:
        cfg (dict): The config, options applied.
        given (dict): The options, for messages.
        path (str): The config file, for messages.

    Raises:
        ConfigError: Naming the option and what it may be.
    """
    for name, value in all_settings(cfg):
        parts = name.split('.')
        ends = ('.'.join(parts[-2:]), parts[-1])
        for end in (*ends, ends[0].partition('_')[2]):
            if end in _RULES:
                wrong = _RULES[end](value)
                if wrong:
                    where = ('--cfg-options' if name in given
                             else f'config {path}:')
                    raise ConfigError(f'{where} {name}={value}: {wrong}')
                break
    _check_schedule(cfg)


def _check_schedule(cfg: dict) -> None:
    """Raise if a learning rate's schedule begins after the training."""
    training = cfg.get('train_cfg') or {}
    schedules = cfg.get('param_scheduler')
    if not isinstance(schedules, list):  # mmengine takes other forms, too
        return
    for place, schedule in enumerate(schedules):
        unit = 'max_epochs' if schedule.get('by_epoch', True) else 'max_iters'
        begin, total = schedule.get('begin', 0), training.get(unit)
        if total is not None and begin >= total:
            raise ConfigError(
                f'train_cfg.{unit}={total}: param_scheduler.{place} begins at '
                f'{begin}; give at least {begin + 1}, or another '
                f'param_scheduler.{place}.begin')


def all_settings(node: Any, name: str = '') -> Iterator[Tuple[str, Any]]:
    """All settings below a node of a config.

    Args:
        node: The config or a part of it.
        name (str): The node's own name. Defaults to '': it is the config.

    Yields:
        tuple: Name such as 'param_scheduler.0.type', and value.
    """
    items: Any = ()
    if hasattr(node, 'items'):
        items = node.items()
    elif isinstance(node, (list, tuple)):
        items = enumerate(node)
    for key, value in items:
        full = f'{name}.{key}' if name else str(key)
        yield full, value
        if isinstance(value, (dict, list, tuple)):
            yield from all_settings(value, full)
