"""One pass over files of maps or masks for everything that reads them."""
from dataclasses import dataclass, field
from typing import (
    Any,
    Callable,
    Dict,
    Iterator,
    List,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import numpy as np
import torch
from torch import Tensor

from mmwsss.evaluation import BaseScorer, ThresholdSweep
from mmwsss.evaluation.threshold_sweep import Threshold
from mmwsss.files.maps import MapFile, map_pixels, read_any_map
from mmwsss.files.masks import MaskClasses, mask_pixels, read_mask
from mmwsss.parallel.progress import in_threads
from mmwsss.parallel.room import Room
from mmwsss.problems import ConfigError, DataError, Problems
from mmwsss.registry import SCORERS

# Pixels of the images that all threads hold at a time; some 30 bytes each
# while maps are scored.
PIXELS_AT_ONCE = 2**24


@dataclass(frozen=True)
class ScoredFile:
    """A file to score.

    Attributes:
        path (str): Maps or a mask.
        truth (str, optional): The true mask; None: the file is read, not
            scored.
        index (int): Its place in the data set.
    """
    path: str
    truth: Optional[str] = None
    index: int = 0


def map_scoring(title: str, classes: Sequence[str],
                score_classes: Union[str, Sequence[str]],
                scorers: Sequence[dict],
                threshold: Threshold = None,
                values: Optional[MaskClasses] = None) -> 'Scoring':
    """Scoring of maps: the background thresholds, and further scorers.

    Args:
        title (str): See :class:`Scoring`.
        classes (Sequence[str]): Names of all classes, 'background' first.
        score_classes (str | Sequence[str]): Classes of the means, or 'all'.
        scorers (Sequence[dict]): Configs of the further scorers.
        threshold (float | tuple, optional): See :class:`ThresholdSweep`,
            which is the first scorer.
        values (MaskClasses, optional): What the values of true masks stand
            for. Defaults to None: each for the class of that index.
    """
    options: Dict[str, Any] = dict(classes=classes,
                                   score_classes=score_classes)
    return Scoring(
        [ThresholdSweep(threshold=threshold, **options),
         *(SCORERS.build(dict(one, **options)) for one in scorers)],
        read_any_map, lambda file: file.maps.shape[1:], title,
        values or MaskClasses(len(classes)), map_pixels)


@dataclass
class Scoring:
    """Scorers, and what they have counted so far.

    Attributes:
        scorers (list[BaseScorer]): All of them see the same files.
        read (Callable): Path -> what a scorer counts, maps or a mask.
        shape (Callable): What ``read`` gives -> height and width.
        title (str): What is scored, for the progress bar and errors.
        values (MaskClasses): What the values of true masks stand for.
        pixels (Callable): Path -> about how many pixels that has, quickly.
        scored (int): How many files had a true mask.
    """
    scorers: Sequence[BaseScorer]
    read: Callable[[str], Any]
    shape: Callable[[Any], Tuple[int, int]]
    title: str
    values: MaskClasses
    pixels: Callable[[str], int] = mask_pixels
    scored: int = 0
    totals: List[Any] = field(default_factory=list)

    def run(self, files: Sequence[ScoredFile],
            visit: Callable[[ScoredFile, Any], Any] = lambda *_: None
            ) -> Iterator[Tuple[ScoredFile, Any]]:
        """Read every file once, count, and let ``visit`` see it.

        Args:
            files (Sequence[ScoredFile]): In the order of the results.
            visit (Callable): Called with each file and its content, in a
                thread.

        Yields:
            tuple: The file, and what ``visit`` returned.

        Raises:
            DataError: After the last file, naming all that are wrong.
        """
        problems = Problems(self.title)
        room = Room(PIXELS_AT_ONCE)
        self.totals, self.scored = [0] * len(self.scorers), 0

        def work(file: ScoredFile) -> Any:
            try:
                with room.take(self.pixels(file.path)):
                    content = self.read(file.path)
                    counts = self._count(file, content)
                    return counts, visit(file, content)
            except DataError as error:
                return error

        outcomes = in_threads(work, files, self.title, len(files))
        for outcome, file in zip(outcomes, files):
            if isinstance(outcome, DataError):
                problems.add(str(outcome))
                continue
            counts, visited = outcome
            if counts is not None:
                self.scored += 1
                self.totals = [total + count for total, count in
                               zip(self.totals, counts)]
            yield file, visited
        problems.raise_if_any()

    def _count(self, file: ScoredFile, content: Any
               ) -> Optional[List[Tensor]]:
        """The counts of each scorer; None without a true mask."""
        if file.truth is None:
            return None
        truth = read_mask(file.truth, self.values)
        if isinstance(content, MapFile):
            content = content.sized(truth.shape)
        size = tuple(self.shape(content))
        if truth.shape != size:
            raise DataError(
                f'{file.path}: {size[0]} x {size[1]}, but the mask '
                f'{file.truth} is {truth.shape[0]} x {truth.shape[1]}')
        target = torch.from_numpy(truth.astype(np.int64))
        try:
            return [scorer.count(content, target) for scorer in self.scorers]
        except DataError as error:
            raise DataError(f'{file.path}: {error}') from error

    def report(self, title: str, folder: Optional[str]) -> Dict[str, Any]:
        """The reports of all scorers in one; they are printed and drawn.

        Args:
            title (str): What was scored, above the tables.
            folder (str, optional): Where pictures go.
        """
        report: Dict[str, Any] = {}
        for scorer, total in zip(self.scorers, self.totals):
            own = scorer.report(total)
            twice = sorted(set(own) & set(report))
            if twice:
                raise ConfigError(f'scorers: two of them report {twice[0]!r}; '
                                  'leave one out')
            scorer.show(own, title, folder)
            report.update(own)
        return report
