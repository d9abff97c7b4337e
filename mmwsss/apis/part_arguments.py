"""What the parts of a config can be given, by their signatures."""
import inspect
import re
from difflib import get_close_matches
from typing import Any, List, Set, Tuple

from mmwsss import registry
from mmwsss.problems import unknown_name

# What builders, the Runner and its loops take out before the part is made.
_OF_BUILDERS = frozenset(
    ('_delete_', '_scope_', 'begin', 'by_epoch', 'constructor',
     'convert_to_iter_based', 'end', 'init_cfg', 'loss_scale',
     'paramwise_cfg', 'priority', 'type'))

# How near a name is to a known one that is meant, where others are taken.
_NEAR = 0.8


def unknown_argument(part: dict, name: str) -> str:
    """Says which argument of a part was meant by a misspelt one.

    Args:
        part (dict): Its config, with a ``type``.
        name (str): The argument.

    Returns:
        str: ``unknown argument 'num_clases' of ClassTokenViT (did you mean
        'num_classes'?)``; empty where it is known or near to no known
        one: building the part judges it then.
    """
    kinds = _classes(part['type'])
    known: Set[str] = set()
    for kind in kinds:
        names, all_taken = _arguments(kind)
        if name in names or not get_close_matches(
                name, names, cutoff=_NEAR if all_taken else 0.6):
            return ''
        known |= names
    if not kinds or name in _OF_BUILDERS:
        return ''
    return unknown_name(f'argument of {part["type"]}', name,
                        [*part, *sorted(known - {*part})])


def _classes(kind: Any) -> List[type]:
    """The parts that a type can name, in whichever registry."""
    if isinstance(kind, type):
        return [kind]
    found: List[Any] = []
    for one in vars(registry).values():
        if isinstance(kind, str) and isinstance(one, registry.Registry):
            try:
                found.append(one.get(kind))
            except Exception:  # not of that kind; building says what it is
                continue
    return [one for one in found if isinstance(one, type)]


def _arguments(kind: type) -> Tuple[Set[str], bool]:
    """Names that a class and its bases take, and whether they take others."""
    names: Set[str] = set()
    for base in kind.__mro__:
        if '__init__' not in vars(base) or base is object:
            continue
        parameters = inspect.signature(vars(base)['__init__']).parameters
        kinds = {one.kind for one in parameters.values()}
        names |= set(list(parameters)[1:])
        if inspect.Parameter.VAR_KEYWORD not in kinds:
            return names, False
    return names, True


def near_type(message: str) -> str:
    """What a misspelt type of a part was perhaps meant to be.

    Args:
        message (str): Of a registry that does not know it.

    Returns:
        str: ``unknown type 'COCOLabel' (did you mean 'COCOLabels'?)``; '' if
        the message is another one, or no name is near.
    """
    found = re.match(r"'?(\w+) is not in the [\w-]+::(.+?) registry", message)
    if not found:
        return ''
    name, kind = found.groups()
    names: Set[str] = set()
    for one in vars(registry).values():
        if isinstance(one, registry.Registry) and one.name == kind:
            names |= set(one.module_dict)
            if one.parent is not None:
                names |= set(one.parent.module_dict)
    near = {known.lower(): known for known in names}
    close = get_close_matches(name.lower(), near, n=1)
    if not close:
        return ''
    return f'unknown type {name!r} (did you mean {near[close[0]]!r}?)'
