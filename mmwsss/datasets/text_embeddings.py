"""CLIP text embeddings of class names, one vector a class."""
import os.path as osp
from typing import Optional, Sequence

import numpy as np

from mmwsss.files.safe_npz import read_embeddings
from mmwsss.problems import DataError

from .class_prompts import CLASS_LISTS, same_class, squash


def read_text_embeddings(path: str,
                         classes: Optional[Sequence[str]] = None,
                         num_classes: Optional[int] = None,
                         background: Sequence[str] = ()) -> np.ndarray:
    """Embeddings of the foreground classes, in the data set's order.

    Args:
        path (str): ``.npz`` with ``names`` (C,) and ``embeddings`` (C, E),
            written by ``tools/extract_text_embeddings.py``.
        classes (Sequence[str], optional): The C class names without
            'background', to check the order against. Spelling may differ as
            between VOC and COCO ('diningtable', 'dining table'). Defaults to
            None.
        num_classes (int, optional): C, where there are no names to check.
            Defaults to None.
        background (Sequence[str]): Words for the background that follow the
            classes, W of them. Defaults to (): none.

    Returns:
        np.ndarray: float32, (C + W, E).

    Raises:
        DataError: If the file is missing or damaged, a number is not finite,
            or its classes are not the data set's.
    """
    title = f'text embeddings {path}'
    how = _how(classes, path, background)
    if not osp.isfile(path):
        raise DataError(f'{title}: no such file; {how}')
    try:
        names, embeddings, _ = read_embeddings(path)
    except ValueError as error:
        raise DataError(f'{title}: cannot be read ({error}); {how}'
                        ) from error
    for expected in (num_classes, None if classes is None else len(classes)):
        if expected is not None and expected + len(background) != len(names):
            words = f' and {len(background)} background words' if (
                background) else ''
            raise DataError(f'{title}: {len(names)} classes, the data set has '
                            f'{expected}{words}; {how}')
    first = len(names) - len(background)
    for row, (name, word) in enumerate(zip(names[first:], background), first):
        if name != word:
            raise DataError(f'{title}: row {row} is {name!r}, the background '
                            f'word there is {word!r}; {how}')
    if classes is not None:
        _check_order(title, names, classes, how)
    return embeddings


def _check_order(title: str, names: Sequence[str], classes: Sequence[str],
                 how: str) -> None:
    squashed = [squash(name) for name in names]
    for row, (name, cls) in enumerate(zip(names, classes)):
        # A synonym is not taken where the very name stands in another row.
        moved = squashed[row] != squash(cls) and squash(cls) in squashed
        if moved or not same_class(name, cls):
            raise DataError(f'{title}: row {row} is {name!r}, class {row} of '
                            f'the data set is {cls!r}; {how}')


def _how(classes: Optional[Sequence[str]], path: str,
         background: Sequence[str]) -> str:
    """The command that writes the file."""
    if background:
        return ('write it with tools/extract_text_embeddings.py --config '
                f'CONFIG --weights CLIP_WEIGHTS --out {path}')
    source = '|'.join([*CLASS_LISTS, 'FILE'])
    if classes is not None:
        source = next((key for key, known in CLASS_LISTS.items()
                       if list(known) == list(classes)), 'FILE')
    return ('write it with tools/extract_text_embeddings.py --classes '
            f'{source} --weights CLIP_WEIGHTS --out {path}')
