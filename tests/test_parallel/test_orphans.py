"""No process outlives the one that started it, however that ends."""
import os
import signal
import subprocess
import sys
import time

import pytest
from processes import children, is_alive
from shapes import ROOT

from mmwsss.parallel import orphans

POOL = '''
import time
from mmwsss.parallel.worker_pool import WorkerPool
if __name__ == '__main__':
    pool = WorkerPool(time.sleep, 2)
    for _ in range(4):
        list(pool.submit(600))
    print('started', flush=True)
    time.sleep(600)
'''
# The loader's workers are full: they wait for room in their pipe.
LOADER = '''
import time
import numpy as np
from torch.utils.data import DataLoader, Dataset
from mmwsss.parallel.orphans import workers_end_with_parent

class Large(Dataset):
    def __len__(self):
        return 99
    def __getitem__(self, index):
        return np.zeros(10 ** 6)

if __name__ == '__main__':
    loader = DataLoader(Large(), num_workers=2, collate_fn=list)
    workers_end_with_parent(loader)
    batches = iter(loader)
    print('started', flush=True)
    time.sleep(600)
'''


@pytest.mark.skipif(not os.path.exists('/proc/self/stat'),
                    reason='counts processes in /proc')
@pytest.mark.parametrize('text', [POOL, LOADER], ids=['pool', 'loader'])
@pytest.mark.parametrize('later', [0, 3], ids=['starting', 'working'])
def test_workers_end_with_a_killed_parent(tmp_path, text, later):
    script = tmp_path / 'script.py'
    script.write_text(text)
    process = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, text=True,
        env=dict(os.environ, PYTHONPATH=ROOT))
    assert process.stdout.readline() == 'started\n'
    time.sleep(later)
    workers = children(process.pid)
    assert len(workers) >= 2
    process.send_signal(signal.SIGKILL)
    process.wait()
    ends = time.monotonic() + 30  # a busy machine takes its time to start
    while any(map(is_alive, workers)) and time.monotonic() < ends:
        time.sleep(0.1)
    assert [worker for worker in workers if is_alive(worker)] == []


@pytest.mark.parametrize('error, shown', [
    (ConnectionResetError(), False), (EOFError(), False),
    (ValueError('a mistake'), True)])
def test_workers_do_not_report_that_the_parent_broke_off(
        error, shown, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'excepthook', sys.excepthook)
    monkeypatch.setattr(orphans, 'end_with_parent', lambda: None)
    seen = []
    orphans._start_worker(seen.append, 3)
    sys.excepthook(type(error), error, None)
    assert seen == [3] and bool(capsys.readouterr().err) == shown
