"""JSON files."""
import json
from typing import Any

from mmwsss.problems import DataError

from .atomic import write_atomically
from .text_files import read_text


def read_json(path: str, **kwargs: Any) -> Any:
    """The content of a JSON file.

    Args:
        path (str): The file.
        **kwargs: See :func:`json.loads`.

    Raises:
        DataError: If it cannot be read, naming the file and the line.
    """
    text = read_text(path)
    try:
        return json.loads(text, **kwargs)
    except RecursionError as error:
        raise DataError(f'{path}: not valid JSON (brackets inside brackets, '
                        'hundreds deep)') from error
    except ValueError as error:
        raise DataError(f'{path}: not valid JSON ({error})') from error


def write_json(path: str, content: Any) -> None:
    """Write a JSON file that appears whole or not at all.

    Args:
        path (str): Where to write.
        content: What to write.
    """
    write_atomically(path, json.dumps(content, indent=1).encode())
