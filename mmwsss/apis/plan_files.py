"""A plan in the folder of its run: what is kept, and what has changed."""
import hashlib
import os
import os.path as osp
from typing import Any, Dict, List, Optional

import numpy as np

from mmwsss.files.atomic import require_writable, write_atomically
from mmwsss.files.json_files import read_json, write_json
from mmwsss.problems import ConfigError, DataError

from .choices import time_text
from .fingerprint import (
    TaggedPhotos,
    changed_photos,
    photo_record,
    write_lists,
)
from .plan_configs import plan_configs

PLAN = 'plan.json'
_SHOWN = 8  # changes that a message spells out


def stored_plan(work_dir: str) -> Optional[Dict[str, Any]]:
    """The plan of a run's folder; None where the folder is new.

    Raises:
        ConfigError: If the folder holds something else.
        DataError: If the plan cannot be read.
    """
    path = osp.join(work_dir, PLAN)
    if osp.isfile(path):
        content = read_json(path)
        if not isinstance(content, dict) or not {
                'request', 'choices', 'photos', 'held_out',
                'configs'} <= set(content):
            raise DataError(f'{path}: is no plan of mmwsss; give another '
                            '--work-dir')
        return content
    if osp.exists(work_dir) and (not osp.isdir(work_dir)
                                 or os.listdir(work_dir)):
        raise ConfigError(f'{work_dir}: holds something else, and no {PLAN}; '
                          'give another --work-dir')
    return None


def digest(content: bytes) -> str:
    """Of a config's text, to tell whether a person changed it."""
    return hashlib.sha256(content).hexdigest()[:16]


def chosen(made: Dict[str, Any]) -> Dict[str, Any]:
    """The values of a plan's choices, by name."""
    return {name: one['value'] for name, one in made['choices'].items()}


def check_same(stored: Dict[str, Any], request: Dict[str, Any],
                found: TaggedPhotos, work_dir: str) -> None:
    """Raise if a plan was made for other photos, tags or options.

    Args:
        stored (dict): The plan.
        request (dict): The options now.
        found (TaggedPhotos): The photos now.
        work_dir (str): The run's folder, for the message.

    Raises:
        ConfigError: Naming what differs.
    """
    changes = [f'--{name.replace("_", "-")} {value} instead of '
               f'{stored["request"].get(name)}'
               for name, value in request.items()
               # The threshold decides on nothing else of a plan.
               if name != 'threshold' and value != stored['request'].get(name)]
    changes += changed_photos(stored['photos'], photo_record(found))
    if changes:
        shown = '; '.join(changes[:_SHOWN])
        more = len(changes) - _SHOWN
        raise ConfigError(
            f'{work_dir} was planned for something else: {shown}'
            f'{f"; and {more} more" if more > 0 else ""}. Take it back, give '
            'another --work-dir, or plan anew with --replan (and --overwrite '
            'to replace what was trained)')


def complete(stored: Dict[str, Any], found: TaggedPhotos, work_dir: str,
              dry_run: bool) -> List[str]:
    """Write what of a plan's files is missing, as after a kill.

    Args:
        stored (dict): The plan.
        found (TaggedPhotos): The photos.
        work_dir (str): The run's folder, absolute.
        dry_run (bool): Write nothing.

    Returns:
        list[str]: A line for each config that a person changed.
    """
    held_out = np.isin(found.names, stored['held_out'])
    texts = {**plan_configs(chosen(stored), work_dir),
             **write_lists(found, held_out)}
    notes = []
    if not dry_run:
        write_json(osp.join(work_dir, PLAN), stored)
    for name, text in texts.items():
        path = osp.join(work_dir, name)
        if not osp.isfile(path):
            if not dry_run:
                write_atomically(path, text.encode())
        elif changed_config(stored, work_dir, name):
            notes.append(f'{path} was changed by hand, and is kept')
    return notes


def changed_config(stored: Dict[str, Any], work_dir: str, name: str) -> bool:
    """Whether a config is there and is not as the plan wrote it."""
    path = osp.join(work_dir, name)
    if name not in stored['configs'] or not osp.isfile(path):
        return False
    with open(path, 'rb') as file:
        return digest(file.read()) != stored['configs'][name]


def write_plan(made: Dict[str, Any], found: TaggedPhotos, work_dir: str,
           stored: Optional[Dict[str, Any]]) -> List[str]:
    """Write a new plan and its files.

    Args:
        made (dict): The plan.
        found (TaggedPhotos): The photos.
        work_dir (str): The run's folder, absolute.
        stored (dict, optional): The plan that it replaces.

    Returns:
        list[str]: A line for each changed config that is replaced.
    """
    require_writable(work_dir)
    texts = {**plan_configs(chosen(made), work_dir),
             **write_lists(found, np.isin(found.names, made['held_out']))}
    notes = [f'{osp.join(work_dir, name)}, changed by hand, is replaced'
             for name in texts
             if stored is not None and changed_config(stored, work_dir, name)]
    # Files that are missing after a kill are written from the plan.
    write_json(osp.join(work_dir, PLAN), made)
    for name, text in texts.items():
        write_atomically(osp.join(work_dir, name), text.encode())
    return notes


def plan_text(made: Dict[str, Any]) -> str:
    """What a person reads of a plan, some lines.

    Args:
        made (dict): See :func:`mmwsss.apis.planning.plan`.
    """
    facts, values = made['fingerprint'], chosen(made)
    counts = ', '.join(f'{name} {count}'
                       for name, count in facts['classes'].items())
    lines = [f'{facts["photos"]} photos, {values["held_out"]} of them held '
             f'out; {counts}']
    lines += [f'look at this: {hint}' for hint in facts['hints']]
    hidden = ('classes', 'palette', 'folder', 'label_source',
              'affinity_epochs')
    lines += [f'{name}: {value}  ({made["choices"][name]["reason"]})'
              for name, value in values.items() if name not in hidden]
    lines.append(f'time: about {time_text(values["time"])}; disk: about '
                 f'{values["disk_gb"]} GB')
    return '\n'.join(lines)
