"""A plan in the folder of its run: what is kept, and what has changed."""
import glob
import hashlib
import os
import os.path as osp
from contextlib import suppress
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from mmwsss.files.atomic import require_writable, write_atomically
from mmwsss.files.digests import file_digest
from mmwsss.files.json_files import read_json, write_json
from mmwsss.problems import ConfigError, DataError

from .config import load_config
from .fingerprint import (
    TaggedPhotos,
    changed_photos,
    photo_record,
    write_lists,
)
from .plan_configs import plan_configs
from .plan_words import chosen, few, option_change
from .stages import RECORD

PLAN = 'plan.json'
# Options that decide on nothing of a plan but masks, or count by content.
_NO_CHANGE = ('threshold', 'photos', 'labels', 'weights', 'weights_digest')


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
    """As :func:`file_digest` of a file with this content.

    It tells whether a person changed the file.
    """
    return hashlib.sha256(content).hexdigest()[:16]


def plan_changes(stored: Dict[str, Any], request: Dict[str, Any],
                 found: TaggedPhotos) -> List[str]:
    """What a plan was made for otherwise, by name.

    Where photos, tags and weights lie does not count, but what is in them.

    Args:
        stored (dict): The plan.
        request (dict): The options now.
        found (TaggedPhotos): The photos now.
    """
    # An option that an older plan does not know was not given.
    before = {name: False for name, value in request.items()
              if value is False} | stored['request']
    lines = [option_change(name, before.get(name), value)
             for name, value in request.items()
             if name not in _NO_CHANGE and value != before.get(name)]
    known = request['weights_digest']
    if request['weights'] != before['weights'] and (
            known is None or known != before.get('weights_digest')):
        lines.append(option_change('weights', before['weights'],
                                    request['weights']))
    return lines + changed_photos(stored['photos'], photo_record(found))


def require_unused(stored: Dict[str, Any], work_dir: str,
                   changes: Sequence[str]) -> None:
    """Raise if making a plan anew would lose work, of networks or a person.

    Args:
        stored (dict): The plan.
        work_dir (str): The run's folder.
        changes (Sequence[str]): Why it would be made anew.

    Raises:
        ConfigError: Naming what differs, and the way on.
    """
    what = f'{work_dir} was planned otherwise: {few(changes)}'
    if glob.glob(osp.join(glob.escape(work_dir), '*', RECORD)):
        raise ConfigError(f'{what}. Begin anew with "mmwsss fit --replan '
                          '--overwrite", or give another --work-dir')
    edited = [name for name in stored['configs']
              if changed_config(stored, work_dir, name)]
    if edited:
        raise ConfigError(f'{what}. --replan plans anew, and replaces '
                          f'{", ".join(edited)}, changed by hand')


def move_places(stored: Dict[str, Any], request: Dict[str, Any],
                found: TaggedPhotos) -> None:
    """Let a plan say where photos, tags and weights lie now, in place."""
    for name in ('photos', 'labels', 'weights'):
        stored['request'][name] = request[name]
    choices = stored['choices']
    choices['folder']['value'] = found.folder
    choices['label_source']['value'] = found.label_source
    if request['weights_digest'] is not None:
        choices['weights']['value'] = request['weights']


def plan_file_texts(choices: Dict[str, Any], found: TaggedPhotos,
                    held_out: np.ndarray, work_dir: str) -> Dict[str, str]:
    """Configs and lists of a plan, by name.

    Args:
        choices (dict): What was chosen, by name.
        found (TaggedPhotos): The photos.
        held_out (np.ndarray): bool, (N, ).
        work_dir (str): The run's folder, absolute.
    """
    return {**plan_configs(choices, work_dir), **write_lists(found, held_out)}


def complete(stored: Dict[str, Any], found: TaggedPhotos, work_dir: str,
             dry_run: bool) -> List[str]:
    """Write what of a plan's files is missing, or names places of before.

    So it is after a kill, or where folders were moved.

    Args:
        stored (dict): The plan; digests of what is written are noted in it.
        found (TaggedPhotos): The photos.
        work_dir (str): The run's folder, absolute.
        dry_run (bool): Write nothing.

    Returns:
        list[str]: A line for each file that a person changed.

    Raises:
        ConfigError: If such a file names photos or tags that are not there.
    """
    texts = plan_file_texts(chosen(stored), found,
                            np.isin(found.names, stored['held_out']), work_dir)
    notes = []
    for name, text in texts.items():
        path, wanted = osp.join(work_dir, name), digest(text.encode())
        there = _digest_of(path)
        if there not in (None, wanted, stored['configs'].get(name)):
            notes.append(f'{path} was changed by hand, and is kept')
            if name == 'data.py':
                _check_places(path, found)
            continue
        if there != wanted and not dry_run:
            write_atomically(path, text.encode())
        stored['configs'][name] = wanted
    if not dry_run:  # the last, so that no digest is of a file to come
        write_json(osp.join(work_dir, PLAN), stored)
    return notes


def _check_places(path: str, found: TaggedPhotos) -> None:
    """Raise if a person's data.py names what has been moved away."""
    photos = load_config(path).get('photos', {})
    root = str(photos.get('data_root') or '')
    labels = photos.get('label_source', {}).get('file')
    for name, place, now in (
            ('data_root', root, found.folder),
            ('file', labels and osp.join(root, labels),
             found.label_source.get('file'))):
        if place and now and not osp.exists(place):
            raise ConfigError(f'{path}, changed by hand: {name}, '
                              f'{place}, is not there; set it to {now!r}')


def changed_config(stored: Dict[str, Any], work_dir: str, name: str) -> bool:
    """Whether a file is there and is not as the plan wrote it."""
    return name in stored['configs'] and _digest_of(
        osp.join(work_dir, name)) not in (None, stored['configs'][name])


def _digest_of(path: str) -> Optional[str]:
    """Of a config or list; None where it is not there."""
    return file_digest(path) if osp.isfile(path) else None


def write_plan(made: Dict[str, Any], found: TaggedPhotos, work_dir: str,
               stored: Optional[Dict[str, Any]]) -> List[str]:
    """Write a new plan and its files.

    Args:
        made (dict): The plan.
        found (TaggedPhotos): The photos.
        work_dir (str): The run's folder, absolute.
        stored (dict, optional): The plan that it replaces.

    Returns:
        list[str]: A line for each changed file that is replaced.
    """
    require_writable(work_dir)
    texts = plan_file_texts(chosen(made), found,
                            np.isin(found.names, made['held_out']), work_dir)
    notes = []
    before = {} if stored is None else stored['configs']
    for name, known in before.items():
        path = osp.join(work_dir, name)
        if _digest_of(path) not in (None, known):
            notes.append(f'{path}, changed by hand, is replaced')
        # Else a kill would leave it for one that a person has changed.
        with suppress(FileNotFoundError):
            os.remove(path)
    # Files that are missing after a kill are written from the plan.
    write_json(osp.join(work_dir, PLAN), made)
    for name, text in texts.items():
        write_atomically(osp.join(work_dir, name), text.encode())
    return notes
