"""CLIP image embeddings, one vector a photo."""
import os.path as osp
from collections import Counter
from typing import Sequence

import numpy as np

from mmwsss.files.safe_npz import read_embeddings
from mmwsss.problems import DataError, Problems

HOW = 'write it with tools/extract_image_embeddings.py'


def read_image_embeddings(path: str, names: Sequence[str]) -> np.ndarray:
    """Embeddings of the named images.

    Args:
        path (str): ``.npz`` with ``names`` (N,) and ``embeddings`` (N, E).
        names (Sequence[str]): Image names without folder and extension.

    Returns:
        np.ndarray: float32, (len(names), E).

    Raises:
        DataError: If the file is missing or damaged, a number is not finite,
            or an image is not in it or twice.
    """
    if not osp.isfile(path):
        raise DataError(f'image embeddings {path}: no such file; {HOW}')
    try:
        found, embeddings, _ = read_embeddings(path)
    except ValueError as error:
        raise DataError(f'image embeddings {path}: cannot be read ({error}); '
                        f'{HOW}') from error
    rows = {name: row for row, name in enumerate(found)}
    problems = Problems(f'image embeddings {path} ({HOW})')
    counts = Counter(found)
    for name in names:
        if counts[name] != 1:
            problems.add(f'no embedding of image {name!r}'
                         if name not in rows else
                         f'{counts[name]} embeddings of image {name!r}')
    problems.raise_if_any()
    return embeddings[[rows[name] for name in names]]
