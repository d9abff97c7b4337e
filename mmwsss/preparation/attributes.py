"""Descriptions of classes, and the attributes that they share (ExCEL)."""
from typing import Dict, List, Mapping, Sequence, Tuple

import torch
from torch import Tensor

from mmwsss.files.json_files import read_json
from mmwsss.ops.feature_surgery import attribute_prototypes
from mmwsss.problems import DataError, unknown_name


def read_descriptions(path: str, classes: Sequence[str]
                      ) -> Dict[str, Tuple[str, ...]]:
    """Sentences that describe classes.

    Args:
        path (str): A JSON file: ``{class: [sentence, ...]}``, as a language
            model may have written them.
        classes (Sequence[str]): Names of the C classes; each needs one.

    Returns:
        dict[str, tuple[str, ...]]: Sentences of each class, in the order of
        ``classes``.

    Raises:
        DataError: If the file cannot be read, names another class or lacks
            one, or holds anything but sentences.
    """
    content = read_json(path)
    if not isinstance(content, Mapping):
        raise DataError(f'{path}: write {{"class": ["sentence", ...], ...}}')
    for name, sentences in content.items():
        if name not in classes:
            raise DataError(f'{path}: ' +
                            unknown_name('class', name, classes))
        if not (isinstance(sentences, list) and sentences and all(
                isinstance(text, str) and text.strip()
                for text in sentences)):
            raise DataError(f'{path}: {name!r}: write a list of sentences')
    missing = [name for name in classes if name not in content]
    if missing:
        raise DataError(f'{path}: no description of {missing[0]!r}; add some')
    return {name: tuple(content[name]) for name in classes}


def adopt_attributes(text: Tensor, descriptions: List[Tensor],
                     clusters: int, drop: float = 0.1) -> Tensor:
    """Class texts enriched by clusters of all descriptions (ExCEL's TSE).

    Args:
        text (Tensor): Of the classes, unit length, (C, E).
        descriptions (list[Tensor]): Of each class's sentences, unit length,
            (n, E) each.
        clusters (int): K; a cluster may hold sentences of several classes.
        drop (float): See :func:`mmwsss.ops.attribute_prototypes`.

    Returns:
        Tensor: Unit length, (C, E).

    Raises:
        DataError: If there are fewer sentences than clusters.
    """
    from sklearn.cluster import KMeans  # slow to import

    every = torch.cat(descriptions)
    if len(every) < clusters:
        raise DataError(f'{len(every)} descriptions cannot form {clusters} '
                        'clusters; set a smaller text_clusters')
    # As published.
    found = KMeans(clusters, random_state=0, n_init='auto').fit(every.numpy())
    centers = torch.from_numpy(found.cluster_centers_).to(text)
    return attribute_prototypes(text, centers, drop)
