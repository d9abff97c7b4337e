"""How a tool ends when it is stopped, or the machine has too little."""
import errno
import os
import signal

import pytest

from mmwsss.apis.command_line import run


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_terminated_as_interrupted(number):
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit, match='interrupted; run the same command'):
        run(lambda: os.kill(os.getpid(), number))
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_forked_process_is_terminated_as_ever():
    def main():
        child = os.fork()
        if child == 0:
            os.kill(os.getpid(), signal.SIGTERM)
            os._exit(0)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGTERM

    run(main)


@pytest.mark.parametrize('number', [errno.ENOSPC, errno.EMFILE, errno.EDQUOT])
def test_too_little_of_something_is_one_line(number):
    def main():
        raise OSError(number, os.strerror(number), 'scalars.json')

    with pytest.raises(SystemExit, match='error: .*scalars.json.*make room'):
        run(main)


def test_other_faults_keep_their_trace():
    def main():
        raise OSError(errno.EIO, 'broken')

    with pytest.raises(OSError, match='broken'):
        run(main)
