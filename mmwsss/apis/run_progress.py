"""One line for a whole run: what it does, how far it is, how long yet."""
import sys
import time
from datetime import datetime, timedelta
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
_KNOWN = 0.05  # of the expected time, after which the pace is known
_OVER = 0.1  # of the time budget, from which on it is clearly too little


def screen() -> Console:
    """Where a person reads; names of files are shown as they are."""
    return Console(file=sys.stdout, soft_wrap=True, highlight=False,
                   markup=False)


class RunProgress:
    """A listener that shows the share of the expected time.

    What is left is scaled by how long the stages of this process took,
    compared with what was expected of them. Where that will clearly take
    longer than there is time for, one line says so, once.

    Args:
        expected (dict[str, float]): Seconds of each stage, in their order.
        console (Console): Where it is drawn; one that is no terminal gets a
            line a stage.
        budget (float, optional): Seconds that there are from now on.
            Defaults to None: as long as it takes.

    Attributes:
        took (dict[str, float]): Seconds of the stages of this process.
    """

    def __init__(self, expected: Dict[str, float], console: Console,
                 budget: Optional[float] = None) -> None:
        self.expected = expected
        self.console = console
        self.budget = budget
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
        self._worked = 0.  # expected seconds of what this process has done
        self._start = time.monotonic()
        # When the first step of the stage was done, and its part: what comes
        # before, such as loading weights, comes once.
        self._first = self._start, 0.

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
            self._first = time.monotonic(), done / max(total, 1)
        # Parts that follow the first, such as writing masks, are short.
        self._part = max(self._part, min(done / max(total, 1), 1.))
        self._warn()
        self._draw()

    def seconds_left(self) -> float:
        """Of the whole run, as far as is known."""
        expected = sum(self.expected.values()) * (1 - self.share())
        spent = sum(seconds for name, seconds in self.took.items()
                    if name in self.expected)
        if self._stage in self.expected:
            spent += time.monotonic() - self._began
        now = self._worked + self._of_stage() * (
            self._part - (self._resumed_at or 0.))
        # A little of a stage says nothing of its pace.
        return expected * (spent / now if now > 5 else 1.)

    def _warn(self) -> None:
        """Say once that the time will not do, when the pace is known."""
        now, (began, part) = time.monotonic(), self._first
        measured = self._of_stage() * (self._part - part)
        total = sum(self.expected.values())
        if self.budget is None or measured < max(5., _KNOWN * total):
            return
        left = total * (1 - self.share()) * (now - began) / measured
        over = now - self._start + left - self.budget
        if over > _OVER * self.budget:
            end = datetime.now() + timedelta(seconds=left)
            self.console.print(
                f'slower than planned: it will end at about {end:%H:%M}, '
                f'{time_text(over)} later than --time-budget '
                f'{time_text(self.budget)} allows. Ctrl-C stops it, and the '
                'same command goes on another time')
            self.budget = None

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
        self._bar.update(self._task, completed=self.share(),
                         left=f'{time_text(left)} left')


def time_text(seconds: float) -> str:
    """'45 s', '3.5 min' or '2.0 h'.

    Args:
        seconds (float): A time.
    """
    if seconds < 90:
        return f'{seconds:.0f} s'
    return (f'{seconds / 60:.1f} min' if seconds < 5400
            else f'{seconds / 3600:.1f} h')
