"""A plan, and what has changed since, in words for a person."""
from typing import Any, Dict, Sequence

from .run_progress import time_text

_SHOWN = 3  # changes that a message spells out
_LINES = dict(
    held_out='held out: {} photos', backbone='network: {}',
    weights='weights to begin with: {}', device='runs on: {}',
    amp='mixed precision (AMP): {}', threads='threads: {}',
    workers='processes that load photos: {}',
    input_side='photos in training: {} pixels a side',
    max_side='photos otherwise: {} pixels a side at most',
    lenient='takes damaged photos: {}', batch_size='photos in a batch: {}',
    affinity='learn where objects end: {}',
    localizer_epochs='training of the localizer: {} epochs',
    segmentor_iterations='training of the segmentor: {} iterations',
    threshold='background threshold: {}', time_seconds='time: about {}',
    disk_gb='disk: about {} GB')
"""What a person is shown of a plan, in this order."""
_PLAIN = {True: 'yes', False: 'no', None: 'none'}


def chosen(made: Dict[str, Any]) -> Dict[str, Any]:
    """The values of a plan's choices, by name."""
    return {name: one['value'] for name, one in made['choices'].items()}


def plan_text(made: Dict[str, Any]) -> str:
    """What a person reads of a plan, some lines.

    Args:
        made (dict): See :func:`mmwsss.apis.planning.plan`.
    """
    facts, values = made['fingerprint'], chosen(made)
    counts = ', '.join(f'{name} {count}'
                       for name, count in facts['classes'].items())
    lines = [f'{facts["photos"]} photos, {values["held_out"]} of them held '
             f'out; {counts}']
    lines += [f'look at this: {hint}' for hint in facts['hints']]
    lines += [f'{line.format(_plain(name, values[name]))}  '
              f'({made["choices"][name]["reason"]})'
              for name, line in _LINES.items() if name in values]
    return '\n'.join(lines)


def _plain(name: str, value: Any) -> str:
    """A value of a plan, as a person says it."""
    if value is None or isinstance(value, bool):
        return _PLAIN[value]
    return time_text(value) if name == 'time_seconds' else str(value)


def option_change(name: str, before: Any, now: Any) -> str:
    """An option of a plan as a person gives it, before and now.

    Args:
        name (str): Of the option, see :func:`mmwsss.apis.planning.plan`.
        before (Any): Its value before.
        now (Any): Its value now.

    Example:
        >>> option_change('time_budget', None, 1800.)
        '--time-budget: not given before, 30.0 min now'
        >>> option_change('affinity', True, False)
        '--no-affinity: not given before, given now'
    """
    if name == 'affinity':
        name, before, now = 'no_affinity', not before, not now
    name = name.removeprefix('ask_')
    was, is_now = (_option_value(name, value) for value in (before, now))
    return f'--{name.replace("_", "-")}: {was} before, {is_now} now'


def _option_value(name: str, value: Any) -> str:
    if value is None or isinstance(value, bool):
        return 'given' if value else 'not given'
    return time_text(value) if name == 'time_budget' else str(value)


def few(lines: Sequence[str]) -> str:
    """The first lines in one, and how many more there are.

    Args:
        lines (Sequence[str]): At least one.

    Example:
        >>> few(['a is new', 'b is gone', 'c is new', 'd is new'])
        'a is new; b is gone; c is new; and 1 more'
    """
    more = len(lines) - _SHOWN
    return '; '.join(lines[:_SHOWN]) + (f'; and {more} more' if more > 0
                                        else '')
