"""Work in processes: results in order, errors, an end."""
import math
import operator
from multiprocessing import active_children

import pytest

from mmwsss.parallel.worker_pool import WorkerPool


def test_without_processes_each_result_comes_at_once():
    pool = WorkerPool(operator.sub, 0)
    assert [list(pool.submit(5, i)) for i in range(3)] == [[5], [4], [3]]
    assert list(pool.finish()) == []
    with pytest.raises(ValueError, match='math domain'):
        list(WorkerPool(math.sqrt, 0).submit(-1))


def test_a_process_gives_results_in_order_raises_errors_and_ends():
    before = set(active_children())  # of other tests
    pool = WorkerPool(math.sqrt, 1)
    early = [result for i in range(9) for result in pool.submit(i**2)]
    # The caller waits where four jobs a process are open.
    assert early == [0, 1, 2, 3, 4]
    assert len(set(active_children()) - before) == 1
    assert list(pool.submit(-1)) == [5]
    late = []
    with pytest.raises(ValueError, match='math domain'):
        for result in pool.finish():
            late.append(result)
    assert late == [6, 7, 8]
    assert list(pool.finish()) == []
    assert not set(active_children()) - before
