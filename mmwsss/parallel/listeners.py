"""Who is told how far a run of several stages has come."""
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Iterator, Optional, Protocol, Sequence

from mmengine.hooks import Hook
from mmengine.runner import Runner


class Listener(Protocol):
    """What shows the progress of a whole run on one line."""

    def stage(self, name: str) -> None:
        """A stage begins."""

    def step(self, done: int, total: int) -> None:
        """So much of a part of the stage is done."""


_LISTENER: ContextVar[Optional[Listener]] = ContextVar('listener',
                                                       default=None)


@contextmanager
def told_to(listener: Listener) -> Iterator[None]:
    """Tell a listener of all progress inside, instead of drawing bars.

    Args:
        listener (Listener): It is called in this thread.
    """
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def current_listener() -> Optional[Listener]:
    """Whoever listens; None where bars are drawn."""
    return _LISTENER.get()


def note_stage(name: str) -> None:
    """Say that a stage begins.

    Args:
        name (str): Of the stage.
    """
    listener = current_listener()
    if listener is not None:
        listener.stage(name)


class ListenerHook(Hook):
    """Tells a listener of the Runner's iterations.

    Args:
        listener (Listener): Who is told.
    """

    def __init__(self, listener: Listener) -> None:
        self.listener = listener

    def after_train_iter(self, runner: Runner, batch_idx: int,
                         data_batch: Optional[dict] = None,
                         outputs: Optional[dict] = None) -> None:
        """An iteration of the training is done."""
        self.listener.step(runner.iter + 1, runner.max_iters)

    def after_test_iter(self, runner: Runner, batch_idx: int,
                        data_batch: Optional[dict] = None,
                        outputs: Sequence[object] = ()) -> None:
        """A batch of a test is done."""
        self.listener.step(batch_idx + 1, len(runner.test_dataloader))
