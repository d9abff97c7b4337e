"""What killed processes left half-written."""
import os
import subprocess
import sys
import time

from mmwsss.files.atomic import MACHINE
from mmwsss.files.unfinished import remove_unfinished


def test_what_nobody_writes_any_more_goes_and_the_rest_stays(tmp_path):
    ended = subprocess.Popen([sys.executable, '-c', ''])
    ended.wait()
    mine, other = os.getpid(), 'another-machine'
    deep = tmp_path / 'a' / 'b'
    deep.mkdir(parents=True)
    for name in (f'x.png.{MACHINE}.{ended.pid}.01234567.tmp',
                 f'x.png.{MACHINE}.{mine}.01234567.tmp',
                 f'x.png.{other}.{ended.pid}.01234567.tmp',
                 f'old.png.{other}.{ended.pid}.01234567.tmp',
                 f'{MACHINE}.{ended.pid}.tmp', 'x.png', 'notes.tmp'):
        (deep / name).write_text('')
    long_ago = time.time() - 7200
    os.utime(deep / f'old.png.{other}.{ended.pid}.01234567.tmp',
             (long_ago, long_ago))
    for name in (f'masks.{MACHINE}.{ended.pid}.01234567.tmp',
                 f'masks.{MACHINE}.{ended.pid}.01234567.old.tmp'):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'y.png').write_text('')
    remove_unfinished(str(tmp_path))
    assert os.listdir(tmp_path) == ['a']
    assert sorted(os.listdir(deep)) == sorted([
        f'x.png.{MACHINE}.{mine}.01234567.tmp',
        f'x.png.{other}.{ended.pid}.01234567.tmp',
        f'{MACHINE}.{ended.pid}.tmp', 'x.png', 'notes.tmp'])
