"""Threads that share a room."""
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from mmwsss.parallel.room import Room


@pytest.mark.parametrize('amount, together', [(1, 8), (4, 2), (9, 1), (30, 1)])
def test_what_is_inside_fits(amount, together):
    room, inside, most, lock = Room(9), 0, 0, threading.Lock()

    def work(_):
        nonlocal inside, most
        with room.take(amount):
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.05)
            with lock:
                inside -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(16)))
    assert most == together


def test_room_is_given_back_after_an_error():
    room = Room(1)
    for _ in range(2):  # the second would wait for ever
        with pytest.raises(KeyError), room.take(1):
            raise KeyError
