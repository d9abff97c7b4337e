"""Work on images in processes beside the network."""
import os
import threading
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from typing import Any, Callable, Deque, Iterator, Optional, Tuple

import torch


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

    def _results(self, most: int) -> Iterator[Any]:
        """Wait until at most so many jobs are open; raise their errors."""
        while len(self.waiting) > most:
            yield self.waiting.popleft().result()


# What this process works with, if it is a worker.
_worker_function: Callable[..., Any]


def _start_worker(function: Callable[..., Any]) -> None:
    """Take the function; use one thread, as there are many processes."""
    global _worker_function
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    _worker_function = function


def _end_with_parent() -> None:
    """End this worker when its parent has ended, which may be by a kill."""
    parent = parent_process()
    assert parent is not None  # this runs in workers only
    parent.join()
    os._exit(1)


def _work(job: Tuple[Any, ...]) -> Any:
    """Do a job in a worker."""
    return _worker_function(*job)
