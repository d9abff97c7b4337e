"""Threads that together hold no more than fits."""
from contextlib import contextmanager
from threading import Condition
from typing import Iterator


class Room:
    """Lets a thread in once there is room for what it will hold.

    Photos of a few hundred pixels are worked on by all threads at once, those
    of a camera by few, so that memory does not follow the CPU cores.

    Args:
        size (int): What the threads may hold together, in any unit.
    """

    def __init__(self, size: int) -> None:
        self.size = self._free = size
        self._changed = Condition()

    @contextmanager
    def take(self, amount: int) -> Iterator[None]:
        """Wait for room and hold it; what is larger than all works alone.

        Args:
            amount (int): What this thread will hold.
        """
        amount = min(amount, self.size)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= amount)
            self._free -= amount
        try:
            yield
        finally:
            with self._changed:
                self._free += amount
                self._changed.notify_all()
