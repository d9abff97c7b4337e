"""JSON files."""
import json
from typing import Any

from mmwsss.problems import DataError


def read_json(path: str, **kwargs: Any) -> Any:
    """A JSON file, or a :class:`DataError` with file and line."""
    try:
        with open(path, encoding='utf-8') as file:
            return json.load(file, **kwargs)
    except ValueError as error:
        raise DataError(f'{path}: not valid JSON ({error})') from error
