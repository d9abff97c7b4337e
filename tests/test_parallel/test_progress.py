"""Progress over many images."""
from threading import Barrier, get_ident
from time import sleep
from types import SimpleNamespace

import pytest

from mmwsss.parallel.progress import (
    ImageProgressHook,
    in_processes,
    in_threads,
    progress_bar,
)


def test_the_bar_counts_images(capsys):
    with progress_bar('Maps', 8) as advance:
        advance(3)
        advance(5)
    shown = capsys.readouterr().out
    assert 'Maps' in shown and '8/8' in shown


def test_results_come_in_order(capsys):
    jobs = list(range(20))
    assert list(in_threads(lambda i: i**2, iter(jobs), 'Squares', 20)) == [
        i**2 for i in jobs]
    assert list(in_processes(lambda i: -i, jobs, 'Minus', 0)) == [
        -i for i in jobs]
    assert capsys.readouterr().out.count('20/20') >= 2


def test_few_jobs_are_taken_ahead():
    taken = []
    results = in_threads(
        lambda i: i, (taken.append(i) or i for i in range(10000)), 'Many',
        10000)
    assert next(results) == 0
    assert len(taken) < 1000
    results.close()


@pytest.mark.parametrize('given, threads', [(0, 1), (1, 1), (3, 3)])
def test_so_many_threads_work_at_once(given, threads):
    meeting = Barrier(threads)

    def work(job):
        meeting.wait(timeout=20)  # an error unless so many come
        sleep(0.02)  # what one thread more would use to begin
        return get_ident()

    assert len(set(in_threads(work, range(2 * threads), 'Threads',
                              2 * threads, given))) == threads


def test_an_error_of_a_job_reaches_the_caller():
    with pytest.raises(ZeroDivisionError):
        list(in_threads(lambda i: 1 / i, [1, 0], 'Division', 2))


def test_the_hook_tells_of_each_batch():
    counts = []
    hook = ImageProgressHook(counts.append)
    for outputs in ([1, 2, 3], [4]):
        hook.after_test_iter(SimpleNamespace(), 0, outputs=outputs)
    assert counts == [3, 1]
