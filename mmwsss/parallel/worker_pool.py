"""Work on images in processes beside the network."""
import signal
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, Callable, Deque, Iterator, Optional, Tuple

import torch

from .orphans import end_with_parent


class WorkerPool:
    """Calls a function in processes, and hands out its results in order.

    The network never waits for the processes unless they fall far behind.
    They end with their parent, even when it is killed.

    Args:
        function (callable): What to call; one that can be pickled, such as a
            function at the top level of a module, or a partial of it.
        num_workers (int): Number of processes; with 0 this one works.
    """

    def __init__(self, function: Callable[..., Any],
                 num_workers: int) -> None:
        self.function = function
        self.num_workers = num_workers
        # Started with the first job, and again after :meth:`finish`.
        self.executor: Optional[ProcessPoolExecutor] = None
        self.waiting: Deque[Future[Any]] = deque()
        self.most_waiting = 4 * num_workers

    def submit(self, *job: Any) -> Iterator[Any]:
        """Take a job; yield the results that are due, in order.

        Args:
            *job: Arguments of the function.
        """
        if not self.num_workers:
            yield self.function(*job)
            return
        if self.executor is None:
            self.executor = ProcessPoolExecutor(
                self.num_workers, get_context('spawn'),
                initializer=_start_worker, initargs=(self.function, ))
        self.waiting.append(self.executor.submit(_work, job))
        yield from self._results(self.most_waiting)

    def finish(self) -> Iterator[Any]:
        """Yield the results of all open jobs and end the processes."""
        yield from self._results(0)
        if self.executor is not None:
            self.executor.shutdown()
            self.executor = None

    def stop(self) -> None:
        """Drop the jobs that no process has begun and end the processes."""
        self.waiting.clear()
        if self.executor is not None:
            self.executor.shutdown(cancel_futures=True)
            self.executor = None

    def _results(self, most: int) -> Iterator[Any]:
        """Wait until at most so many jobs are open; raise their errors."""
        while len(self.waiting) > most:
            yield self.waiting.popleft().result()


# What this process works with, if it is a worker.
_worker_function: Callable[..., Any]


def _start_worker(function: Callable[..., Any]) -> None:
    """Take the function; use one thread, as there are many processes."""
    global _worker_function
    end_with_parent()
    # Ctrl-C reaches all processes; what it means says the one in front.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    _worker_function = function


def _work(job: Tuple[Any, ...]) -> Any:
    """Do a job in a worker."""
    return _worker_function(*job)
