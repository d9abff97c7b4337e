"""What killed processes left half-written."""
import os
import os.path as osp
import re
import shutil
import time
from contextlib import suppress

from .atomic import MACHINE

# See atomic.temporary_name; a folder's old state may be called so, too.
_UNFINISHED = re.compile(
    r'.+\.(?P<machine>[A-Za-z0-9-]+)\.(?P<process>\d+)\.[0-9a-f]{8}'
    r'(\.old)?\.tmp')
_STALE = 3600  # seconds after which an unfinished file is nobody's


def remove_unfinished(folder: str) -> None:
    """Remove what killed processes left half-written, at any depth.

    A file or folder with a temporary name goes when its process on this
    machine has ended, or when it was not changed for an hour.

    Args:
        folder (str): Where to look; links are not followed.
    """
    for place, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            found = _UNFINISHED.fullmatch(name)
            path = osp.join(place, name)
            if found is None or not (_has_ended(**found.groupdict())
                                     or _is_stale(path)):
                continue
            if name in folders:
                folders.remove(name)
                shutil.rmtree(path, ignore_errors=True)
            else:
                with suppress(OSError):  # another process removed it
                    os.remove(path)


def _has_ended(machine: str, process: str) -> bool:
    """Whether a process was of this machine and is no more."""
    if machine != MACHINE or os.name != 'posix':
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # somebody else's
        return False
    return False


def _is_stale(path: str) -> bool:
    try:
        return time.time() - os.lstat(path).st_mtime > _STALE
    except OSError:  # finished, or removed by another process
        return False
