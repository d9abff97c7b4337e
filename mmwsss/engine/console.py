"""What of a run's log reaches the screen."""
import logging

_LONG = ('\n' + '-' * 60 + '\nSystem environment:', 'Config:\n',
         'Hooks will be executed in the following order:')
"""How mmengine's records of several hundred lines begin."""
NOT_OURS = (
    'Failed to search registry', 'The prefix is not set in metric class',
    'Dataset ', 'Reach the end of the dataloader',
    'No `colors` parameter', 'The model and loaded state dict do not match',
    '"FileClient" will be deprecated', '`build_loss` is deprecated',
    '"HardDiskBackend" is the alias')
"""What OpenMMLab's packages warn of in every run, by how it begins."""
_NOTICES = (
    'Distributed training is not used, all SyncBatchNorm', 'Exp name: ',
    'The prefix is not set in metric class', '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias')
"""What nobody can act on in a run whose log is shown, likewise."""


def keep_records_off(logger: logging.Logger) -> None:
    """Write what no person looks for to the log file alone.

    These are environment, config and hooks, some 400 lines, and notices of
    OpenMMLab's packages on their own parts.

    Args:
        logger (logging.Logger): A run's logger.
    """
    for handler in logger.handlers:
        if isinstance(handler, logging.StreamHandler) and not isinstance(
                handler, logging.FileHandler):
            handler.addFilter(_is_for_people)


def _is_for_people(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(
        (*_LONG, *_NOTICES))
