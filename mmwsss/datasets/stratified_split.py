"""A held-out part in which every class has its share."""
from typing import Optional, Sequence

import numpy as np


def stratified_split(labels: np.ndarray,
                     share: float,
                     groups: Optional[Sequence] = None,
                     seed: int = 0) -> np.ndarray:
    """Hold out a part of multi-label photos, class by class.

    Iterative stratification (Sechidis, Tsoumakas, Vlahavas, ECML PKDD 2011)
    with two parts: the class of which the fewest photos are left is dealt out
    first, each of its photos to the part that lacks most of this class. Then
    photos change sides as long as all classes together come nearer to their
    shares.

    Args:
        labels (np.ndarray): Multi-hot, (N, C).
        share (float): Of the photos that are held out, in [0, 1).
        groups (Sequence, optional): What N photos belong to; those of one
            group, such as copies of one photo, stay together. Defaults to
            None: each is on its own.
        seed (int): Of the order in which equal photos are dealt out.

    Returns:
        np.ndarray: Whether each photo is held out, bool, (N, ).

    Example:
        >>> labels = np.repeat(np.eye(2), 10, axis=0)
        >>> held_out = stratified_split(labels, 0.2)
        >>> labels[held_out].sum(0)
        array([2., 2.])
    """
    count = len(labels)
    names = list(range(count)) if groups is None else list(groups)
    ids = {name: i for i, name in enumerate(dict.fromkeys(names))}
    group_of = np.array([ids[name] for name in names], dtype=int)
    # A column for "a photo", so that photos without a class are dealt out.
    counts = np.zeros((len(ids), labels.shape[1] + 1))  # (G, C + 1)
    np.add.at(counts, group_of, np.column_stack([labels, np.ones(count)]))
    held_out = _deal_out(counts, share, seed)
    return _nearer(counts, share, held_out)[group_of]


def _deal_out(counts: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Whether each group is held out, (G, ); ``counts`` is (G, C + 1)."""
    wanted = np.outer([1 - share, share], counts.sum(0))  # (2, C + 1)
    left = np.random.default_rng(seed).permutation(len(counts))
    held_out = np.zeros(len(counts), dtype=bool)
    while len(left):
        remaining = (counts[left] > 0).sum(0)
        rarest = int(np.where(remaining > 0, remaining, np.inf).argmin())
        having = counts[left, rarest] > 0
        for group in left[having]:
            lacks = wanted[:, [rarest, -1]].round(6).tolist()
            held_out[group] = lacks[1] > lacks[0]
            wanted[int(held_out[group])] -= counts[group]
        left = left[~having]
    return held_out


def _nearer(counts: np.ndarray, share: float,
            held_out: np.ndarray) -> np.ndarray:
    """The same after changes of side that bring it nearer to the shares."""
    held_out = held_out.copy()
    scale = 1 / np.sqrt(counts.sum(0) + 1)
    steps = counts * scale * np.where(held_out, -1, 1)[:, None]  # (G, C + 1)
    off = (counts[held_out].sum(0) - share * counts.sum(0)) * scale
    for _ in range(len(counts)):
        costs = ((off + steps) ** 2).sum(1)
        best = int(costs.argmin())
        if costs[best] >= (off ** 2).sum() - 1e-9:
            break
        off = off + steps[best]
        steps[best] = -steps[best]
        held_out[best] = not held_out[best]
    return held_out
