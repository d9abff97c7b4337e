"""JSON files."""
import json
from typing import Any

from mmwsss.problems import DataError


def read_json(path: str, **kwargs: Any) -> Any:
    """The content of a JSON file.

    Args:
        path (str): The file.
        **kwargs: See :func:`json.load`.

    Returns:
        Any: What the file holds.

    Raises:
        DataError: If it is not valid JSON, with file and line.
    """
    try:
        with open(path, encoding='utf-8') as file:
            return json.load(file, **kwargs)
    except ValueError as error:
        raise DataError(f'{path}: not valid JSON ({error})') from error
