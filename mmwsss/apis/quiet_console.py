"""A screen for what a person needs; everything else goes to a file."""
import logging
import sys
import warnings
from contextlib import contextmanager, redirect_stdout
from typing import Any, Callable, Iterator, Set

from mmengine.logging import MMLogger

from mmwsss.engine.console import NOT_OURS
from mmwsss.problems import one_line


@contextmanager
def quiet_console(path: str, show: Callable[[str], Any]) -> Iterator[None]:
    """Write what is printed and logged inside to a file.

    Warnings in the log of a run are also shown, each once, unless they are
    what other packages always say; Python's warnings, which are for
    programmers, are not.

    Args:
        path (str): The file; lines are added to it.
        show (callable): Gets a warning's text, on one line.
    """
    seen: Set[str] = set()
    make_record = logging.getLogRecordFactory()

    def noted(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make_record(*args, **kwargs)
        text = one_line(record.getMessage())
        if (record.levelno >= logging.WARNING and record.name != 'py.warnings'
                and not text.startswith(NOT_OURS) and text not in seen):
            seen.add(text)
            show(text)
        return record

    screen = sys.stdout
    with open(path, 'a', encoding='utf-8', buffering=1) as file, \
            redirect_stdout(file), warnings.catch_warnings():
        warnings.simplefilter('ignore')
        _redirect(screen, file)
        logging.setLogRecordFactory(noted)
        try:
            yield
        finally:
            logging.setLogRecordFactory(make_record)
            # The file is closed, but loggers of the run live on.
            _redirect(file, screen)


def _redirect(before: Any, now: Any) -> None:
    """Let the loggers that write to one stream write to another."""
    for logger in MMLogger._instance_dict.values():
        for handler in logger.handlers:
            if (isinstance(handler, logging.StreamHandler)
                    and handler.stream is before):
                handler.setStream(now)
