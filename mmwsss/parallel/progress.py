"""Progress over many images: a bar with images/s and the time left."""
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain
from typing import (
    Callable,
    Deque,
    Iterable,
    Iterator,
    Optional,
    Sequence,
    TypeVar,
)

from mmengine.dist import get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
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

from mmwsss.parallel.listeners import Listener, current_listener
from mmwsss.parallel.worker_pool import WorkerPool

Job = TypeVar('Job')
Result = TypeVar('Result')


class _Speed(ProgressColumn):
    """Images a second."""

    def render(self, task: Task) -> Text:
        """The text of the column."""
        speed = task.finished_speed or task.speed
        return Text('' if speed is None else f'{speed:.1f} images/s')


@contextmanager
def progress_bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar; yields the function that moves it.

    Whoever listens to a whole run is told instead, see
    :func:`mmwsss.parallel.listeners.told_to`.

    Args:
        title (str): Stands before the bar.
        total (int): Number of all images.

    Yields:
        callable: Takes the number of images that were finished since the
        last call.
    """
    listener = current_listener()
    if listener is not None:
        yield _counted(listener, total)
        return
    columns = (TextColumn('{task.description}'), BarColumn(),
               MofNCompleteColumn(), _Speed(), TextColumn('ETA'),
               TimeRemainingColumn())
    with Progress(*columns, disable=not is_main_process()) as progress:
        task = progress.add_task(title, total=total)
        yield lambda count: progress.advance(task, count)


def _counted(listener: Listener, total: int) -> Callable[[int], None]:
    """What adds up numbers of images and tells the sum."""
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        listener.step(done, total)

    return advance


def in_threads(function: Callable[[Job], Result], jobs: Iterable[Job],
               title: str, total: int,
               num_workers: Optional[int] = None) -> Iterator[Result]:
    """Work on images in threads, with a progress bar.

    Few jobs are taken ahead of the results, so that neither fill the memory.

    Args:
        function (callable): Takes a job.
        jobs (Iterable): Its arguments, one for each image.
        title (str): Stands before the bar.
        total (int): Number of jobs.
        num_workers (int, optional): Number of threads; at least one works.
            Defaults to None: the number of CPU cores.

    Yields:
        Any: The results, in the order of the jobs; errors are raised here.
    """
    if num_workers is None:
        num_workers = os.cpu_count() or 1
    workers = max(num_workers, 1)
    waiting: Deque[Future[Result]] = deque()
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


def in_processes(function: Callable[[Job], Result], jobs: Sequence[Job],
                 title: str, num_workers: int) -> Iterator[Result]:
    """As :func:`in_threads`, for work in Python, where threads take turns.

    Args:
        function (callable): Takes a job; one that can be pickled, such as a
            function at the top level of a module.
        jobs (Sequence): Its arguments, one for each image.
        title (str): Stands before the bar.
        num_workers (int): Number of processes; with 0 this one works.

    Yields:
        Any: The results, in the order of the jobs.
    """
    pool = WorkerPool(function, num_workers)
    with progress_bar(title, len(jobs)) as advance:
        try:
            for result in chain(*map(pool.submit, jobs), pool.finish()):
                yield result
                advance(1)
        finally:
            pool.stop()


class ImageProgressHook(Hook):
    """Moves a progress bar on as the Runner's test loop finishes images.

    Args:
        advance (callable): From :func:`progress_bar`; it is called with the
            number of images of a batch, over all processes.
    """

    def __init__(self, advance: Callable[[int], None]) -> None:
        self.advance = advance

    def after_test_iter(self, runner: Runner, batch_idx: int,
                        data_batch: Optional[dict] = None,
                        outputs: Sequence[object] = ()) -> None:
        """Count the images of a batch."""
        self.advance(len(outputs) * get_world_size())
