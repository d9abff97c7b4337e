import logging
import sys
import warnings

import pytest
from mmengine.logging import MMLogger, print_log

from mmwsss.apis.quiet_console import quiet_console


def test_the_screen_gets_warnings_alone(tmp_path, capsys):
    path, shown = tmp_path / 'run.log', []
    with quiet_console(str(path), shown.append):
        logger = MMLogger.get_instance(f'quiet_{tmp_path.name}')
        print('400 lines of config')
        print_log('loss 0.3', logger)
        for _ in range(2):
            print_log('3 files left\nout', logger, logging.WARNING)
        print_log('The prefix is not set in metric class X', logger,
                  logging.WARNING)
        warnings.warn('for programmers')
    print_log('after', logger)
    assert shown == ['3 files left out']
    screen = capsys.readouterr()
    assert 'after' in screen.out
    assert 'loss' not in screen.out and 'programmers' not in screen.err
    text = path.read_text()
    for part in ('400 lines', 'loss 0.3', 'left', 'The prefix'):
        assert part in text
    assert 'after' not in text


def test_everything_is_as_before_after_an_error(tmp_path):
    before = sys.stdout, logging.getLogRecordFactory()
    with pytest.raises(KeyError):
        with quiet_console(str(tmp_path / 'run.log'), print):
            raise KeyError
    assert (sys.stdout, logging.getLogRecordFactory()) == before
