"""The command lines in ``tools/``, run inside the tests' process."""
import logging
import os.path as osp
import runpy
import sys
from contextlib import contextmanager

import pytest
from mmengine.logging import MMLogger
from shapes import ROOT


def run_tool(name, *arguments):
    """Run ``tools/<name>.py``; returns what it stops with, or None.

    A process of its own would first import everything again, for seconds.
    Start one where the process is what the test is about.
    """
    path = osp.join(ROOT, 'tools', f'{name}.py')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, 'argv', [path, *map(str, arguments)])
        patch.setenv('LOCAL_RANK', '0')  # the tools set it and leave it set
        try:
            runpy.run_path(path, run_name='__main__')
        except SystemExit as stop:
            return stop.code
    return None


@contextmanager
def logged():
    """The lines that go to mmengine's log inside, as a list."""
    lines = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logger = MMLogger.get_current_instance()
    logger.addHandler(handler)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)
