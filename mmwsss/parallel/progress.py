"""Progress over many images: a bar with images/s and the time left."""
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain
from typing import Callable, Deque, Iterable, Iterator

from mmengine.dist import get_world_size, is_main_process
from mmengine.hooks import Hook
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from mmwsss.parallel.worker_pool import WorkerPool


class _Speed(ProgressColumn):
    """Images a second."""

    def render(self, task: Task) -> Text:
        """The text of the column."""
        speed = task.finished_speed or task.speed
        return Text('' if speed is None else f'{speed:.1f} images/s')


@contextmanager
def progress_bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar; yields the function that moves it.

    Args:
        title (str): Stands before the bar.
        total (int): Images in all.
    """
    columns = (TextColumn('{task.description}'), BarColumn(),
               MofNCompleteColumn(), _Speed(), TextColumn('ETA'),
               TimeRemainingColumn())
    with Progress(*columns, disable=not is_main_process()) as progress:
        task = progress.add_task(title, total=total)
        yield lambda count: progress.advance(task, count)


def in_threads(function: Callable, jobs: Iterable, title: str,
               total: int) -> Iterator:
    """Results of a function in order, with a progress bar.

    Few jobs are taken ahead of the results, so that neither fill the memory.

    Args:
        function (callable): Called with each job, in threads.
        jobs (Iterable): Its arguments.
        title (str): Stands before the bar.
        total (int): Number of jobs.

    Yields:
        What the function returns; its errors are raised here.
    """
    workers = os.cpu_count() or 1
    waiting: Deque[Future] = deque()
    with ThreadPoolExecutor(workers) as pool, \
            progress_bar(title, total) as advance:
        for job in jobs:
            waiting.append(pool.submit(function, job))
            if len(waiting) > 4 * workers:
                yield waiting.popleft().result()
                advance(1)
        while waiting:
            yield waiting.popleft().result()
            advance(1)


def in_processes(function: Callable, jobs: list, title: str,
                 num_workers: int) -> Iterator:
    """As :func:`in_threads`, for work that Python does one at a time.

    Args:
        function (callable): Of a module, as it is sent to other processes.
        jobs (list): Its arguments.
        title (str): Stands before the bar.
        num_workers (int): Processes; 0 works in this one.
    """
    pool = WorkerPool(function, num_workers)
    with progress_bar(title, len(jobs)) as advance:
        for result in chain(*map(pool.submit, jobs), pool.finish()):
            yield result
            advance(1)


class ImageProgressHook(Hook):
    """Tells of the images that the Runner's test loop has finished.

    Args:
        advance (callable): Called with their number, over all processes.
    """

    def __init__(self, advance: Callable[[int], None]) -> None:
        self.advance = advance

    def after_test_iter(self, runner, batch_idx, data_batch=None,
                        outputs=None) -> None:
        """Count the images of a batch."""
        self.advance(len(outputs) * get_world_size())
