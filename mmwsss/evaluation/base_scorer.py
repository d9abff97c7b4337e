"""Scores that add up over files of maps or masks."""
import math
from abc import ABC, abstractmethod
from typing import Any, Dict, List, Optional, Sequence, Union

import numpy as np
from mmengine.logging import print_log
from torch import Tensor

from mmwsss.files.maps import MapFile
from mmwsss.files.mask_survey import nothing_to_score
from mmwsss.files.masks import IGNORED, check_class_count
from mmwsss.problems import DataError

from .multilabel_map import class_indices


class BaseScorer(ABC):
    """A score of maps, from one pass over the images.

    A scorer counts what it needs of each image (:meth:`count`, called in
    threads), the counts of all images are summed, and :meth:`report` turns
    the sum into scores. ``tools/gen_pseudo.py`` takes a list of scorers from
    ``scorers`` of the config, ``tools/eval_pseudo.py`` from ``--scorers``,
    and :class:`ScorerMetric` brings one into a validation.

    Args:
        classes (Sequence[str]): Names of all classes, 'background' first.
        score_classes (str | Sequence[str]): Classes of the means, 'all' for
            all of them. Defaults to 'all'.
    """

    def __init__(self, classes: Sequence[str],
                 score_classes: Union[str, Sequence[str]] = 'all') -> None:
        check_class_count(len(classes), type(self).__name__)
        self.classes = list(classes)
        for name in self.classes:
            if self.classes.count(name) > 1:
                raise DataError(f'class {name!r} stands there twice; the '
                                'background is added by itself')
        self.chosen: List[int] = class_indices(score_classes, self.classes)

    @property
    def num_foreground(self) -> int:
        """C, classes without background."""
        return len(self.classes) - 1

    @abstractmethod
    def count(self, file: Any, truth: Tensor) -> Tensor:
        """What is counted of one image.

        Args:
            file (MapFile): Its maps.
            truth (Tensor): Its true mask, int64, (H, W): 0 background, 1..C,
                255 unknown.

        Returns:
            Tensor: Counts, of one shape for all images.
        """

    @abstractmethod
    def report(self, counts: Tensor) -> Dict[str, Any]:
        """Scores from the counts of all images.

        Args:
            counts (Tensor): The sum over the images.

        Returns:
            dict: What the result file gets; single numbers are metrics.

        Raises:
            DataError: If the images have no score of this kind.
        """

    def show(self, report: Dict[str, Any], title: str,
             folder: Optional[str]) -> None:
        """Print the scores, draw what there is to draw.

        Args:
            report (dict): From :meth:`report`.
            title (str): What was scored.
            folder (str, optional): Where pictures go; None for nowhere.
        """
        numbers = ', '.join(f'{name} {value:g}'
                            for name, value in report.items()
                            if isinstance(value, (int, float)))
        print_log(f'{title}: {numbers}', 'current')

    def check_labels(self, file: MapFile) -> None:
        """Raise unless the classes of maps are among the scorer's.

        Raises:
            DataError: Naming the classes.
        """
        labels = file.labels
        if len(labels) and not (
                0 <= labels.min() <= labels.max() < self.num_foreground):
            raise DataError(f'classes {labels.tolist()}, but there are '
                            f'{self.num_foreground}')

    def check_truth(self, pixels: Tensor, ignored: bool = False) -> None:
        """Raise unless the true masks have something to score.

        Args:
            pixels (Tensor): Of each class in all true masks, (C + 1, ).
            ignored (bool): Whether some are 255. Defaults to False: it is not
                known.

        Raises:
            DataError: If none is known, or none of a class that counts.
        """
        padded = np.zeros(256, dtype=np.int64)
        padded[:len(pixels)] = pixels.numpy()
        padded[IGNORED] = ignored
        line = nothing_to_score(padded, self.classes)
        if line is None and not pixels[self.chosen].any():
            names = ', '.join(self.classes[i] for i in self.chosen)
            line = f'no true mask has a pixel of the classes scored: {names}'
        if line is not None:
            raise DataError(line)


def rounded(value: Union[float, Tensor]) -> Optional[float]:
    """A score as result files hold it, with four digits; None for NaN."""
    number = float(value)
    return None if math.isnan(number) else round(number, 4)
