"""Scores that add up over files of maps or masks."""
from abc import ABC, abstractmethod
from typing import Any, Dict, List, Optional, Sequence, Union

from mmengine.logging import print_log
from torch import Tensor

from mmwsss.files.maps import MapFile
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
        self.classes = list(classes)
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


def rounded(value: Union[float, Tensor]) -> float:
    """A score as result files hold it, with four digits."""
    return round(float(value), 4)
