"""YAML that cannot run code, for configs and all else that mmengine reads."""
from typing import Any

import yaml
from mmengine.fileio import register_handler
from mmengine.fileio.handlers import YamlHandler

from mmwsss.problems import ConfigError


class _PlainLoader(yaml.SafeLoader):
    """Plain values, and the tuples that mmengine writes."""


def _refuse(loader: yaml.Loader, node: yaml.Node) -> Any:
    line = node.start_mark.line + 1
    raise ConfigError(f'line {line}: the tag {node.tag!r} asks for more than '
                      'a plain value, which could run code; write the value '
                      'itself')


_PlainLoader.add_constructor(
    'tag:yaml.org,2002:python/tuple',
    lambda loader, node: tuple(loader.construct_sequence(node, deep=True)))
_PlainLoader.add_constructor(None, _refuse)  # all tags that are not known


@register_handler(['yaml', 'yml'])
class PlainYamlHandler(YamlHandler):
    """Mmengine's own loader builds any Python object that a file names."""

    def load_from_fileobj(self, file: Any, **kwargs: Any) -> Any:
        """The values of an open file.

        Raises:
            ConfigError: For a tag of Python objects.
        """
        kwargs.setdefault('Loader', _PlainLoader)
        return super().load_from_fileobj(file, **kwargs)
