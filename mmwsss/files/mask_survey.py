"""What all masks of a data set hold, before anything is done with them."""
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Optional, Sequence, Union

import numpy as np

from mmwsss.problems import DataError, Problems

from .masks import IGNORED, MaskClasses, pixel_counts, read_mask


def survey_masks(paths: Sequence[str], classes: MaskClasses,
                 problems: Problems) -> np.ndarray:
    """Read all masks; note those that are damaged or have wrong values.

    Args:
        paths (Sequence[str]): The files.
        classes (MaskClasses): What their values stand for.
        problems (Problems): Where to note what is wrong.

    Returns:
        np.ndarray: Pixels of each class, 255 for ignored ones, int64,
        (256, ).
    """
    def look(path: str) -> Union[np.ndarray, DataError]:
        try:
            return pixel_counts(read_mask(path, classes))
        except DataError as error:
            return error

    total = np.zeros(256, dtype=np.int64)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for counts in pool.map(look, paths):
            if isinstance(counts, DataError):
                problems.add(str(counts))
            else:
                total += counts
    return total


def nothing_to_score(pixels: np.ndarray, names: Sequence[str]
                     ) -> Optional[str]:
    """Why nothing can be scored against masks; None if it can.

    Args:
        pixels (np.ndarray): Of each class, from :func:`survey_masks`.
        names (Sequence[str]): Names of all classes.
    """
    known = np.flatnonzero(pixels[:IGNORED])
    if not len(known):
        return 'no true mask has a known pixel, all are 255 (ignored)'
    if known.tolist() != [0] or names[0] != 'background':
        return None
    line = 'no true mask has a pixel of a class other than background'
    if pixels[IGNORED]:
        line += ('; where objects are 255 (masks of 0 and 255), write the '
                 'index of the class, e.g. 1: 255 is ignored')
    return line


def nothing_to_learn(pixels: np.ndarray, names: Sequence[str]
                     ) -> Optional[str]:
    """Why nothing can be learned from masks; None if it can.

    Args:
        pixels (np.ndarray): Of each class, from :func:`survey_masks`.
        names (Sequence[str]): Names of all classes.
    """
    known = np.flatnonzero(pixels[:IGNORED])
    if len(known) > 1:
        return None
    if not len(known):
        return ('nothing to learn: all pixels of all masks are 255 (ignored); '
                'were the two thresholds of the masks too far apart?')
    line = (f'nothing to learn: all pixels of all masks are '
            f'{names[known[0]]!r}')
    if pixels[IGNORED]:
        line += ' or 255 (ignored)'
    return line + ('; choose another --threshold for the masks' if not known[0]
                   else '; masks need background or a second class')
