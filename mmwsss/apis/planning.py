"""Photos and tags -> a plan: fingerprint, choices with reasons, configs."""
import hashlib
import os
import os.path as osp
from tempfile import TemporaryDirectory
from typing import Any, Dict, List, Optional

import numpy as np
from mmengine.config import Config

from mmwsss.files.atomic import require_writable, write_atomically
from mmwsss.files.checkpoints import read_checkpoint
from mmwsss.files.json_files import read_json, write_json
from mmwsss.files.work_size import work_size
from mmwsss.problems import ConfigError, DataError, one_line

from .choices import (
    Choices,
    choose_classes,
    choose_network,
    choose_sizes,
    choose_training,
    hold_out,
    time_text,
)
from .config import load_config
from .costs import measure_costs
from .fingerprint import (
    TaggedPhotos,
    changed_photos,
    fingerprint,
    photo_record,
    read_tagged_photos,
    write_lists,
)
from .generation import check_threshold
from .machine import describe_machine, free_disk, use_device
from .plan_configs import BASES, plan_configs, shipped_configs

PLAN = 'plan.json'
THRESHOLD = 0.4
"""Background threshold where there are no true masks."""
_SHOWN = 8  # changes that a message spells out
_GB = 1 << 30
_CHECKPOINTS = 0.6  # GB of all networks of DeiT-tiny, with their optimizers


def plan(photos: str,
         labels: str,
         work_dir: str,
         time_budget: Optional[float] = None,
         device: Optional[str] = None,
         weights: Optional[str] = None,
         threshold: Optional[float] = None,
         val_share: float = 0.15,
         allow_empty: bool = False,
         affinity: bool = True,
         dry_run: bool = False,
         replan: bool = False) -> Dict[str, Any]:
    """Look at photos and tags, and choose how to learn from them.

    Written to ``work_dir``: ``plan.json``, the lists ``train.txt`` and
    ``val.txt``, and the configs ``data.py``, ``localizer.py``,
    ``segmentor.py`` and, where there is time, ``affinity.py``. A plan that is
    there is kept, and so are configs that a person has changed.

    Args:
        photos (str): Folder of photos.
        labels (str): File of tags, see
            :func:`mmwsss.datasets.label_files.find_label_source`.
        work_dir (str): The run's folder.
        time_budget (float, optional): Seconds for everything. Defaults to
            None: as long as it takes.
        device (str, optional): 'cpu', 'cuda' or 'cuda:1'. Defaults to None: a
            GPU where there is one.
        weights (str, optional): Path or URL of ImageNet weights of a
            DeiT-tiny, or 'none'. Defaults to None: DeiT's own, from its URL.
        threshold (float, optional): Background threshold of the masks.
        val_share (float): Of the photos that are held out, in [0, 1).
        allow_empty (bool): Take photos without any tag.
        affinity (bool): Whether learned affinity may be chosen.
        dry_run (bool): Write nothing.
        replan (bool): Plan anew, also over configs that were changed.

    Returns:
        dict: What ``plan.json`` holds, and ``notes``, lines on what was kept.

    Raises:
        ConfigError: If an option cannot be followed, the folder holds
            something else, or there is no room on the disk.
        DataError: With every problem of photos and tags.
    """
    check_threshold(threshold)
    if not 0 <= val_share < 1:
        raise ConfigError(f'--val-share {val_share}: give a number in [0, 1)')
    work_dir = osp.abspath(osp.expanduser(work_dir))
    request: Dict[str, Any] = dict(
        photos=osp.abspath(photos), labels=osp.abspath(labels),
        time_budget=time_budget, device=device, weights=weights,
        threshold=threshold, val_share=val_share, allow_empty=allow_empty,
        affinity=affinity)
    used = use_device(device)
    stored = stored_plan(work_dir)
    found = read_tagged_photos(photos, labels, allow_empty)
    if stored is not None and not replan:
        _check_same(stored, request, found, work_dir)
        return dict(stored, notes=_complete(stored, found, work_dir, dry_run))
    machine = describe_machine(used, work_dir)
    default = Config.fromfile(osp.join(
        shipped_configs(), BASES['localizer'])).pretrained
    source = default if weights is None else (
        None if weights == 'none' else weights)
    _check_weights(source, default)
    made = _planned(found, request, machine, source, default, work_dir)
    notes = [] if dry_run else _write(made, found, work_dir, stored)
    return dict(made, notes=notes)


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


def _check_weights(source: Optional[str], default: str) -> None:
    """Raise for weights that cannot be read, before any work."""
    if source is None:
        return
    try:
        read_checkpoint(source)
    except (FileNotFoundError, DataError) as error:
        if source != default:
            raise
        raise ConfigError(
            f'the default weights cannot be fetched; give --weights FILE with '
            f'{source} fetched by hand, or --weights none to begin without '
            f'({one_line(error)})') from error


def _planned(found: TaggedPhotos, request: Dict[str, Any],
             machine: Dict[str, Any], weights: Optional[str], default: str,
             work_dir: str) -> Dict[str, Any]:
    """A new plan, nothing of it written."""
    facts = fingerprint(found)
    choices = Choices()
    choose_classes(choices, found)
    held_out = hold_out(choices, found, request['val_share'])
    learned = int((~held_out).sum())
    choose_network(choices, machine, weights, default)
    choose_sizes(choices, learned, facts['sizes'])
    values = choices.values
    affinity = request['affinity'] and learned >= 100
    with TemporaryDirectory() as folder:
        drafts = plan_configs(dict(
            values, affinity=affinity, affinity_epochs=1, localizer_epochs=1,
            segmentor_iterations=1), folder)
        for name, text in {**drafts, **write_lists(found, held_out)}.items():
            write_atomically(osp.join(folder, name), text.encode())
        configs = {name: load_config(osp.join(folder, f'{name}.py'))
                   for name in BASES if f'{name}.py' in drafts}
        costs = measure_costs(
            configs['localizer'], configs['segmentor'],
            configs.get('affinity'), use_device(request['device']),
            work_size(facts['sizes']['median'], values['max_side']))
    stages = choose_training(choices, learned, costs, request['time_budget'],
                             request['affinity'])
    threshold = request['threshold']
    choices.choose(
        'threshold', THRESHOLD if threshold is None else threshold,
        'A guess that is seldom far off; there are no true masks to choose '
        'it on.' if threshold is None else 'Given with --threshold.')
    _choose_disk(choices, found, work_dir)
    texts = plan_configs(values, work_dir)
    return dict(
        request=request, machine=machine, fingerprint=facts,
        choices={name: dict(value=values[name], reason=reason)
                 for name, reason in choices.reasons.items()},
        seconds=stages, costs=costs.rounded(),
        configs={name: _digest(text.encode())
                 for name, text in texts.items()},
        held_out=[found.names[i] for i in np.flatnonzero(held_out)],
        photos=photo_record(found))


def _choose_disk(choices: Choices, found: TaggedPhotos,
                 work_dir: str) -> None:
    """What the run needs of the disk; it has to be free."""
    side = choices.values['max_side']
    worked = [work_size(size, side) for size in found.sizes.tolist()]
    stages = 2 if choices.values['affinity'] else 1
    maps = stages * sum(
        height * width * float(tags) for (height, width), tags
        in zip(worked, found.labels.sum(1)))
    # Masks as PNG are far smaller than a byte a pixel.
    masks = (stages + 1) * found.sizes.prod(1).sum() / 20
    needed = (maps + masks) / _GB + _CHECKPOINTS
    free = free_disk(work_dir) / _GB
    if free < needed:
        raise ConfigError(
            f'{work_dir}: {needed:.1f} GB are needed and {free:.1f} GB are '
            'free; make room, or give a --work-dir on another disk')
    choices.choose('disk_gb', round(needed, 1),
                   f'{_CHECKPOINTS} GB for checkpoints, the rest for maps '
                   f'and masks; {free:.0f} GB are free.')


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def chosen(made: Dict[str, Any]) -> Dict[str, Any]:
    """The values of a plan's choices, by name."""
    return {name: one['value'] for name, one in made['choices'].items()}


def _check_same(stored: Dict[str, Any], request: Dict[str, Any],
                found: TaggedPhotos, work_dir: str) -> None:
    """Raise if a plan was made for other photos, tags or options."""
    changes = [f'--{name.replace("_", "-")} {value} instead of '
               f'{stored["request"].get(name)}'
               for name, value in request.items()
               if value != stored['request'].get(name)]
    changes += changed_photos(stored['photos'], photo_record(found))
    if changes:
        shown = '; '.join(changes[:_SHOWN])
        more = len(changes) - _SHOWN
        raise ConfigError(
            f'{work_dir} was planned for something else: {shown}'
            f'{f"; and {more} more" if more > 0 else ""}. Take it back, give '
            'another --work-dir, or plan anew with --replan (and --overwrite '
            'to replace what was trained)')


def _complete(stored: Dict[str, Any], found: TaggedPhotos, work_dir: str,
              dry_run: bool) -> List[str]:
    """Write what of a plan's files is missing; lines on changed ones."""
    held_out = np.isin(found.names, stored['held_out'])
    texts = {**plan_configs(chosen(stored), work_dir),
             **write_lists(found, held_out)}
    notes = []
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
        return _digest(file.read()) != stored['configs'][name]


def _write(made: Dict[str, Any], found: TaggedPhotos, work_dir: str,
           stored: Optional[Dict[str, Any]]) -> List[str]:
    """Write a new plan and its files; lines on what they replace."""
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
    """What a person reads of a plan, some lines."""
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
