"""Which classes the maps or masks of a folder were made for."""
import os.path as osp
from typing import Sequence

from mmwsss.problems import DataError

from .json_files import read_json

RECORDS = 'photos.json'
"""Beside folders of maps and masks: their classes, and all photos."""


def check_result_classes(folder: str, classes: Sequence[str]) -> None:
    """Raise if maps or masks were made for other classes, or in other order.

    Their numbers would stand for the wrong names. Folders from elsewhere,
    which have no note beside them, are taken as they are.

    Args:
        folder (str): Of maps or masks, as ``tools/gen_pseudo.py`` writes them.
        classes (Sequence[str]): Those of the data set, background first.

    Raises:
        DataError: Naming both.
    """
    path = osp.join(osp.dirname(osp.abspath(folder)), RECORDS)
    if not osp.isfile(path):
        return
    content = read_json(path)
    made_for = content.get('classes') if isinstance(content, dict) else None
    if not isinstance(made_for, list) or made_for == list(classes):
        return
    first = first_difference(made_for, classes)
    shown = [', '.join(map(str, names[first:first + 3])) or 'no more'
             for names in (made_for, list(classes))]
    raise DataError(
        f'{folder}: made for {len(made_for)} classes, the data set has '
        f'{len(classes)}; from number {first} on: {shown[0]} against '
        f'{shown[1]}. Use the classes, in their order, that {path} names')


def first_difference(one: Sequence[str], other: Sequence[str]) -> int:
    """Where two lists of names begin to differ.

    Example:
        >>> first_difference(['a', 'b'], ['a', 'c']), first_difference('a', '')
        (1, 0)
    """
    return next((i for i, (name, else_) in enumerate(zip(one, other))
                 if name != else_), min(len(one), len(other)))
