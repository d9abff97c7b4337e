"""Photos that go away while a generation works.

Each ends in one line; what is finished stays, and the same command goes on.
"""
import glob
import os
import os.path as osp
import shutil
import subprocess
import sys
import time

import pytest
from command_lines import run_tool
from shapes import ROOT

MORE = '''
_base_ = {base!r}
localize_workers = 2
refine_workers = 1
refiners = [dict(type='DenseCRF', iterations=100, backend='torch')]
'''


@pytest.fixture
def command(trained, tmp_path):
    """Arguments of a generation with workers, for a folder."""
    config = tmp_path / 'workers.py'
    config.write_text(MORE.format(base=trained[0].filename))

    def arguments(out, *options):
        return ['gen_pseudo', str(config), trained[1], '--out-dir', str(out),
                '--work-dir', str(tmp_path / 'work'), *options]
    return arguments


def start(tool, *arguments):
    """Start a tool."""
    return subprocess.Popen(
        [sys.executable, osp.join(ROOT, 'tools', f'{tool}.py'), *arguments],
        text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        env=dict(os.environ, PYTHONPATH=ROOT, PYTHONWARNINGS='ignore'))


def error_of(process):
    """The one line with which a tool ends."""
    said = process.communicate(timeout=300)[1]
    assert process.returncode == 1, said
    assert 'Traceback' not in said
    errors = [line for line in said.splitlines()
              if line.startswith('error: ')]
    assert len(errors) == 1, said
    return errors[0]


def finish(command, out):
    """The same command, in this process."""
    assert run_tool(*command(out, '--cfg-options', 'localize_workers=0',
                             'refine_workers=0')) is None


def content(out):
    """Bytes of maps, masks and scores by path."""
    found = {}
    for path in (glob.glob(osp.join(out, 'm*', '*.*'))
                 + glob.glob(osp.join(out, 'scores.json'))):
        with open(path, 'rb') as file:
            found[osp.relpath(path, out)] = file.read()
    return found


def wait_for_a_map(process, out):
    while not glob.glob(osp.join(out, 'maps', '*.npz')):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)


@pytest.mark.parametrize('fault', ['removed', 'cut'])
def test_a_photo_lost_midway(command, shapes, tmp_path, fault):
    out = str(tmp_path / 'out')
    photo = osp.join(shapes, 'JPEGImages', 'img7.jpg')
    kept = shutil.copy2(photo, tmp_path / 'kept.jpg')
    process = start(*command(out))
    wait_for_a_map(process, out)
    if fault == 'removed':
        os.remove(photo)
    else:
        os.truncate(photo, 700)
    line = error_of(process)
    assert 'img7.jpg' in line
    maps = content(out)
    assert maps and 'maps/img7.npz' not in maps
    shutil.copy2(kept, photo)
    finish(command, out)
    whole = content(out)
    assert {name: whole[name] for name in maps} == maps
    shutil.rmtree(out)
    finish(command, out)
    assert content(out) == whole and len(whole) == 17
