"""Processes that end with the one that started them."""
import os
import sys
import threading
import time
from functools import partial
from multiprocessing import parent_process
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Optional, Type

if TYPE_CHECKING:  # --help is to be fast
    from torch.utils.data import DataLoader

_PAUSE = 0.5  # seconds between two looks


def end_with_parent() -> None:
    """End this process when its parent has ended, which may be by a kill.

    A thread watches, so that it does not matter what the process waits for.
    """
    threading.Thread(target=_watch, args=(os.getppid(), ),
                     daemon=True).start()


def workers_end_with_parent(loader: 'DataLoader') -> None:
    """Have the workers of a data loader end with the process they work for.

    Torch's own look for the parent only while they wait for work, not while
    they wait for room for a finished batch.

    Args:
        loader (DataLoader): One that has not started its workers.
    """
    loader.worker_init_fn = partial(_start_worker, loader.worker_init_fn)


def _start_worker(then: Optional[Callable[[int], Any]], worker: int) -> None:
    end_with_parent()
    sys.excepthook = _report
    if then is not None:
        then(worker)


def _report(kind: Type[BaseException], error: BaseException,
            trace: Optional[TracebackType]) -> None:
    """Print what a thread raised, unless its parent broke off to end.

    Errors of a loader's data set are not printed but sent to the parent.
    """
    if not issubclass(kind, (ConnectionError, EOFError)):
        sys.__excepthook__(kind, error, trace)


def _watch(first: int) -> None:
    """Look for the parent; one that has gone before is noticed, too."""
    parent = parent_process()  # None where multiprocessing did not start us
    while os.getppid() == first and (parent is None or parent.is_alive()):
        time.sleep(_PAUSE)
    os._exit(1)
