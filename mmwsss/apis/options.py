"""What a text given for an option of a config means."""
import ast
import math
from typing import Any

from mmengine.config import DictAction

from mmwsss.problems import ConfigError

# Options that name a file or a folder; so do all with these endings.
_PLACES = {'cache', 'checkpoint', 'file', 'folder', 'image_embeddings',
           'load_from', 'maps', 'masks', 'path', 'pretrained', 'pseudo_masks',
           'root', 'text_embeddings'}
_PLACE_ENDINGS = ('_cache', '_dir', '_file', '_folder', '_list', '_path',
                  '_root')


class OptionText(str):
    """A value as it was typed; the config says what it can mean."""


def names_a_place(key: str) -> bool:
    """Whether an option is a file or a folder, by its name.

    Args:
        key (str): ``a.b.c``.
    """
    name = key.split('.')[-1]
    return name in _PLACES or name.endswith(_PLACE_ENDINGS)


def split_option(text: str) -> tuple:
    """``'a.b=1'`` -> ``('a.b', '1')``.

    Raises:
        ConfigError: If there is no ``=`` or no name.
    """
    key, equals, value = text.partition('=')
    if not equals:
        raise ConfigError(f'--cfg-options {text}: give KEY=VALUE, e.g. '
                          f'{key}=VALUE')
    if not all(key.split('.')) or key != key.strip():
        raise ConfigError(f'--cfg-options {text}: {key!r} is no name of an '
                          'option; give KEY=VALUE, e.g. data_root=DIR')
    return key, OptionText(value)


def parse_value(text: str, name: str = 'value') -> Any:
    """A number, True, False, None, a list, a group of options, or a text.

    Lists stand in brackets or have commas, groups are written as in a config:
    ``dict(type='PAR')`` or ``{'type': 'PAR'}``.

    Args:
        text (str): As it was typed.
        name (str): What messages call it.

    Raises:
        ConfigError: If brackets are not balanced, or a group is not of plain
            values.

    Example:
        >>> parse_value('(1.0,1.5)'), parse_value('a photo'), parse_value('2')
        ((1.0, 1.5), 'a photo', 2)
    """
    bare = text.strip()
    if len(bare) > 1 and bare[0] == bare[-1] and bare[0] in '\'"':
        return bare[1:-1]
    groups = bare.startswith('{') or 'dict(' in bare
    if not (bare[:1] in '([' and bare) and ',' not in bare and not groups:
        return DictAction._parse_int_float_bool(bare)
    try:  # mmengine's reader would take the spaces out of names
        value = _plain_value(bare)
        if groups or bare[0] in '([' and isinstance(value, (list, tuple)):
            return value
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        if groups:  # names without quotes are for lists alone
            raise ConfigError(
                f"{name}={text}: write groups as \"dict(type='NAME')\", with "
                'quotes around texts and the shell') from error
    try:
        return DictAction._parse_iterable(bare)
    except (AssertionError, RecursionError) as error:
        raise ConfigError(f'{name}={text}: the brackets are not balanced'
                          ) from error


def _plain_value(text: str) -> Any:
    """A Python literal in which ``dict(a=1)`` may stand for ``{'a': 1}``."""
    return ast.literal_eval(_Groups().visit(ast.parse(text, mode='eval')))


class _Groups(ast.NodeTransformer):
    """Calls of ``dict`` by names become what they make."""

    def visit_Call(self, node: ast.Call) -> ast.AST:  # noqa: N802
        self.generic_visit(node)
        names = [keyword.arg for keyword in node.keywords]
        if (getattr(node.func, 'id', '') != 'dict' or node.args
                or None in names):
            return node
        return ast.Dict([ast.Constant(name) for name in names],
                        [keyword.value for keyword in node.keywords])


def meant(key: str, value: Any, current: Any, place: bool) -> Any:
    """The value that an option gets.

    Args:
        key (str): ``a.b.c``.
        value: A typed text (:class:`OptionText`) or a value from Python.
        current: What the config has there; None where it has nothing.
        place (bool): Whether it is a file or a folder: those may be called
            ``2012`` or ``a,b``.

    Raises:
        ConfigError: If it cannot stand where ``current`` does.
    """
    name = f'--cfg-options {key}'
    if place and isinstance(value, OptionText):
        text = str(value).strip('\'"')
        listed = (not isinstance(current, str) and text.startswith('[')
                  and text.endswith(']'))
        value = parse_value(text, name) if listed or text == 'None' else text
    elif isinstance(value, OptionText):
        value = parse_value(value, name)
    if place and type(value) in (int, float):
        value = str(value)
    if isinstance(value, float) and math.isnan(value):
        raise ConfigError(f'{name}=nan: give a number')
    if value is None or current is None:
        return value
    if isinstance(current, bool):
        if type(value) is int and value in (0, 1):
            return bool(value)
        if not isinstance(value, bool) and not place:
            raise ConfigError(f'{name}={value}: give True or False')
    elif isinstance(current, (int, float)):
        several = isinstance(current, float) and isinstance(value, list)
        if isinstance(value, (bool, str)) or several:
            raise ConfigError(f'{name}={value}: is no number; the config has '
                              f'{current} there')
    elif isinstance(current, (list, tuple)):
        numbers = current and all(type(one) in (int, float)
                                  for one in current)
        if numbers and isinstance(value, (bool, str)):
            raise ConfigError(f'{name}={value}: the config has the numbers '
                              f'{tuple(current)} there; give numbers, e.g. '
                              f'"({",".join(map(str, current))})"')
        groups = current and all(isinstance(one, dict) for one in current)
        if groups and not (isinstance(value, (list, tuple)) and all(
                isinstance(one, dict) for one in value)):
            raise ConfigError(f'{name}={value}: the config has a list of '
                              "groups there; give \"[dict(type='NAME')]\"")
    elif isinstance(current, dict):
        if ('.' not in key or 'type' in current) and not isinstance(
                value, (dict, list)):
            inside = next(iter(current), 'type')
            raise ConfigError(f'{name}={value}: is a group of options; set '
                              f'one of them, e.g. {key}.{inside}=VALUE')
    return value
