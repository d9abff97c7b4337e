"""Work over many files, in threads, with a progress bar."""
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Iterator

from rich.progress import track


def in_threads(function: Callable, jobs: list, title: str) -> Iterator:
    """Results of ``function`` over ``jobs`` in order, with a progress bar."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        yield from track(pool.map(function, jobs),
                         f'{title}: {len(jobs)} images', total=len(jobs))
