"""What of a run's log reaches the screen."""
import logging

_LONG = ('\n' + '-' * 60 + '\nSystem environment:', 'Config:\n',
         'Hooks will be executed in the following order:')
"""How mmengine's records of several hundred lines begin."""


def keep_long_records_off(logger: logging.Logger) -> None:
    """Write environment, config and hooks to the log file alone.

    They are some 400 lines before the first that a person looks for.

    Args:
        logger (logging.Logger): A run's logger.
    """
    for handler in logger.handlers:
        if isinstance(handler, logging.StreamHandler) and not isinstance(
                handler, logging.FileHandler):
            handler.addFilter(_is_short)


def _is_short(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(_LONG)
