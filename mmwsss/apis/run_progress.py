"""One line for a whole run: what it does, how far it is, how long yet."""
import sys
import time
from typing import Dict, Optional

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
)

TITLES = dict(
    localizer='learning from the tags', pseudo_train='maps and masks',
    pseudo_val='maps and masks of the held-out photos',
    doubtful_labels='looking for wrong tags',
    affinity='learning where objects end', affinity_train='refined maps',
    affinity_val='refined maps of the held-out photos',
    segmentor='learning to segment', test='trying the held-out photos',
    predict='masks of the photos')
"""What a person calls the stages."""


def screen() -> Console:
    """Where a person reads; names of files are shown as they are."""
    return Console(file=sys.stdout, soft_wrap=True, highlight=False,
                   markup=False)


class RunProgress:
    """A listener that shows the share of the expected time.

    What is left is scaled by how long the stages of this session took,
    compared with what was expected of them.

    Args:
        expected (dict[str, float]): Seconds of each stage, in their order.
        console (Console): Where it is drawn; one that is no terminal gets a
            line a stage.

    Attributes:
        took (dict[str, float]): Seconds of the stages of this session.
    """

    def __init__(self, expected: Dict[str, float], console: Console) -> None:
        self.expected = expected
        self.console = console
        self.took: Dict[str, float] = {}
        self._bar = Progress(
            TextColumn('{task.description}'), BarColumn(),
            TaskProgressColumn(), TextColumn('{task.fields[left]}'),
            console=console, disable=not console.is_terminal, transient=True,
            redirect_stdout=False, redirect_stderr=False)
        self._task = self._bar.add_task('', total=1., left='')
        self._stage: Optional[str] = None
        self._part = 0.
        self._began = 0.
        self._resumed_at: Optional[float] = None
        self._worked = 0.  # expected seconds of what this session has done

    def __enter__(self) -> 'RunProgress':
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._finish_stage()
        self._bar.stop()

    def stage(self, name: str) -> None:
        """A stage begins; those before it are done."""
        self._finish_stage()
        self._stage, self._part, self._resumed_at = name, 0., None
        self._began = time.monotonic()
        title = TITLES.get(name, name)
        if not self.console.is_terminal:
            self.console.print(f'{title} ...')
        self._bar.update(self._task, description=title)
        self._draw()

    def step(self, done: int, total: int) -> None:
        """So much of a part of the stage is done."""
        if self._resumed_at is None:
            self._resumed_at = (done - 1) / max(total, 1)
        # Parts that follow the first, such as writing masks, are short.
        self._part = max(self._part, min(done / max(total, 1), 1.))
        self._draw()

    def seconds_left(self) -> float:
        """Of the whole run, as far as is known."""
        expected = sum(self.expected.values()) * (1 - self.share())
        now = self._worked + self._of_stage() * (
            self._part - (self._resumed_at or 0.))
        spent = sum(self.took.values()) + (
            time.monotonic() - self._began if self._stage else 0.)
        # A little of a stage says nothing of its pace.
        return expected * (spent / now if now > 5 else 1.)

    def share(self) -> float:
        """What is done of the expected time, in [0, 1]."""
        names = list(self.expected)
        done = [name for name in names if name in self.took]
        if self._stage in self.expected:  # some before were done earlier
            done = names[:names.index(self._stage)]
        before = sum(self.expected[name] for name in done)
        return ((before + self._of_stage() * self._part)
                / max(sum(self.expected.values()), 1e-9))

    def _of_stage(self) -> float:
        return self.expected.get(self._stage or '', 0.)

    def _finish_stage(self) -> None:
        if self._stage is not None:
            self.took[self._stage] = time.monotonic() - self._began
            self._worked += self._of_stage() * (1 - (self._resumed_at or 0.))
            self._stage = None

    def _draw(self) -> None:
        left = self.seconds_left()
        self._bar.update(
            self._task, completed=self.share(),
            left=f'{left / 60:.0f} min left' if left > 90
            else f'{left:.0f} s left')
