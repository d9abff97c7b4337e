"""JSON files."""
import json
import math
from typing import Any, Optional

import numpy as np

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
    except json.JSONDecodeError as error:
        raise DataError(f'{path}: not valid JSON ({error})') from error
    except ValueError as error:  # Python reads no such numbers
        raise DataError(f'{path}: not valid JSON (a number of over 4,300 '
                        'digits)') from error


def write_json(path: str, content: Any, indent: Optional[int] = 1) -> None:
    """Write a JSON file that appears whole or not at all.

    JSON has no NaN and no infinity: a number that is not finite, such as the
    score of a class that does not occur, is written as null.

    Args:
        path (str): Where to write.
        content: What to write.
        indent (int, optional): Of each level. Defaults to 1; None writes a
            single line, for what people do not read.
    """
    text = json.dumps(finite(content), indent=indent, allow_nan=False)
    write_atomically(path, text.encode())


def finite(content: Any) -> Any:
    """The same content with None for each number that is not finite.

    Args:
        content: What JSON can hold, or numbers of numpy.
    """
    if isinstance(content, (float, np.floating)):
        return content if math.isfinite(content) else None
    if isinstance(content, dict):
        return {key: finite(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [finite(value) for value in content]
    return content
