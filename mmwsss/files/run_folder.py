"""What a training run left in its folder: its newest and best checkpoints."""
import glob
import logging
import os
import os.path as osp
import re
from typing import List, Optional, Tuple

from mmengine.logging import print_log

from mmwsss.problems import DataError

from .checkpoints import (
    DamagedCheckpointError,
    all_weights,
    read_checkpoint,
)

LAST = 'last_checkpoint'
# What mmengine calls checkpoints, and the folder of the log of a run.
_CHECKPOINT = re.compile(r'(?:best_.+_)?(?:epoch|iter)_\d+\.pth')
_LOG = re.compile(r'\d{8}_\d{6}')


def newest_checkpoint(folder: str) -> Optional[Tuple[str, dict]]:
    """The newest whole checkpoint that training can go on from.

    It is the one that ``last_checkpoint`` names, unless a later one was
    written whole when the run was killed. Damaged files are passed over, with
    a line that says so.

    Args:
        folder (str): The run's ``work_dir``; it may have been moved.

    Returns:
        tuple[str, dict], optional: Path and content; None if there is none.

    Raises:
        DataError: If there is none, but files that are refused, such as one
            that asks to run code.
    """
    named = _named(folder)
    paths = [path for path in glob.glob(osp.join(glob.escape(folder), '*.pth'))
             if not osp.basename(path).startswith('best_')]
    paths.sort(key=_order, reverse=True)
    if named is not None:
        later = [path for path in paths if all(
            one > other for one, other in zip(_order(path), _order(named)))]
        paths = [*later, named,
                 *(one for one in paths if one not in (*later, named))]
    refused: List[str] = []
    for path in paths:
        try:
            checkpoint = read_checkpoint(path)
            require_training_state(checkpoint, path)
        except (DataError, FileNotFoundError) as error:
            if not isinstance(error, DamagedCheckpointError):
                refused.append(str(error))
            print_log(f'passed over: {error}', 'current', logging.WARNING)
            continue
        return path, checkpoint
    if refused:
        raise DataError(f'{refused[0]}. Move it away to train anew, or give '
                        'another --work-dir')
    return None


def checkpoints_of_run(folder: str) -> List[str]:
    """Checkpoints that trainings left in a folder; files of others are not.

    Args:
        folder (str): The run's ``work_dir``; it need not be there.
    """
    return [path for path in sorted(glob.glob(
        osp.join(glob.escape(folder), '*.pth')))
        if _CHECKPOINT.fullmatch(osp.basename(path))]


def files_of_run(folder: str) -> List[str]:
    """All that trainings left: checkpoints, the note of the last, logs.

    Args:
        folder (str): The run's ``work_dir``; it need not be there.

    Returns:
        list[str]: Files, and folders of logs.
    """
    logs = [path for path in sorted(glob.glob(
        osp.join(glob.escape(folder), '*', '')))
        if _LOG.fullmatch(osp.basename(osp.dirname(path)))]
    last = osp.join(folder, LAST)
    return [*checkpoints_of_run(folder), *([last] if osp.isfile(last) else []),
            *logs]


def _order(path: str) -> Tuple[float, int]:
    """When a checkpoint was written, and its epoch or iteration."""
    number = re.search(r'(\d+)\.pth$', path)
    return os.stat(path).st_mtime_ns, int(number[1]) if number else 0


def _named(folder: str) -> Optional[str]:
    """The file that ``last_checkpoint`` names, where it is there."""
    path = osp.join(folder, LAST)
    try:
        with open(path, encoding='utf-8') as file:
            text = file.read(4096).strip()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        text, reason = '', str(error)
    else:
        reason = 'empty' if not text else f'{text[:80]!r} is no file'
    # By name first: the folder may be a copy of one that is still there.
    for place in (osp.join(folder, osp.basename(text)), text):
        if '\0' not in place and text and osp.isfile(place):
            return place
    print_log(f'{path}: damaged ({reason}), counts as absent; the newest '
              'whole .pth beside it is taken', 'current', logging.WARNING)
    return None


def require_training_state(checkpoint: dict, source: str) -> None:
    """Raise unless training can go on from a checkpoint.

    Args:
        checkpoint (dict): See
            :func:`mmwsss.files.checkpoints.read_checkpoint`.
        source (str): Where it comes from, for the error.

    Raises:
        DataError: If it has no progress, weights or message hub.
    """
    meta = checkpoint.get('meta')
    progress = [meta.get(key) if isinstance(meta, dict) else None
                for key in ('epoch', 'iter')]
    if not (all(type(one) is int and one >= 0 for one in progress)
            and isinstance(checkpoint.get('message_hub'), dict)
            and isinstance(checkpoint.get('state_dict'), dict)):
        raise DataError(
            f'checkpoint {source}: not of a training run, there is nothing to '
            'go on from; to begin with its weights, use load_from without '
            '--resume')


def best_whole_checkpoint(folder: str) -> Optional[str]:
    """The best checkpoint of a training run, else its last one.

    A damaged one is passed over, with a line that says so.

    Args:
        folder (str): The run's ``work_dir``.

    Returns:
        str, optional: Its path; None if there is none.

    Raises:
        DataError: See :func:`newest_checkpoint`.
    """
    best = glob.glob(osp.join(glob.escape(folder), 'best_*.pth'))
    for path in sorted(best, key=osp.getmtime, reverse=True):
        if has_whole_weights(path):
            return path
    found = newest_checkpoint(folder)
    return None if found is None else found[0]


def has_whole_weights(path: str) -> bool:
    """Whether a checkpoint can be read and used; a line says why if not.

    Args:
        path (str): The file; it may be gone.
    """
    try:
        all_weights(read_checkpoint(path), path)
    except (DataError, FileNotFoundError) as error:
        print_log(f'passed over: {error}', 'current', logging.WARNING)
        return False
    return True
