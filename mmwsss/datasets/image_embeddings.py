"""CLIP image embeddings, one vector a photo."""
import os.path as osp
import zipfile
from typing import Sequence

import numpy as np

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
        DataError: If the file is missing, damaged, or lacks an image.
    """
    if not osp.isfile(path):
        raise DataError(f'image embeddings {path}: no such file; {HOW}')
    try:
        with np.load(path, allow_pickle=False) as file:
            rows = {str(name): i for i, name in enumerate(file['names'])}
            embeddings = file['embeddings'].astype(np.float32)
    except (ValueError, KeyError, OSError, EOFError,
            zipfile.BadZipFile) as error:
        raise DataError(f'image embeddings {path}: cannot be read ({error}); '
                        f'{HOW}') from error
    problems = Problems(f'image embeddings {path} ({HOW})')
    for name in names:
        if name not in rows:
            problems.add(f'no embedding of image {name!r}')
    problems.raise_if_any()
    return embeddings[[rows[name] for name in names]]
