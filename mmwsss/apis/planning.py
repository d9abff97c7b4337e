"""Photos and tags -> a plan: fingerprint, choices with reasons, configs."""
import os.path as osp
from tempfile import TemporaryDirectory
from typing import Any, Dict, List, Optional, Union

import numpy as np
from mmengine.config import Config

from mmwsss.files.atomic import write_atomically
from mmwsss.files.checkpoints import read_checkpoint
from mmwsss.files.digests import file_digest
from mmwsss.files.work_size import work_size
from mmwsss.problems import ConfigError, DataError, one_line

from .choices import (
    AFFINITY_PHOTOS,
    Choices,
    choose_classes,
    choose_network,
    choose_sizes,
    choose_training,
    hold_out,
)
from .config import load_config
from .costs import measure_costs
from .fingerprint import (
    TaggedPhotos,
    fingerprint,
    photo_record,
    read_tagged_photos,
    write_lists,
)
from .generation import check_threshold
from .machine import describe_machine, free_disk, use_device
from .manifest import refuse_photo_folder
from .plan_configs import BASES, plan_configs, shipped_configs
from .plan_files import (
    complete,
    digest,
    move_places,
    plan_changes,
    plan_file_texts,
    require_unused,
    stored_plan,
    write_plan,
)
from .plan_words import few

_GIVEN = 'Given with --threshold.'
_AUTO = ('Chosen when the maps are there; the last lines of the run and the '
         'report say which one it is.')
_GB = 1 << 30
_CHECKPOINTS = 0.6  # GB of all networks of DeiT-tiny, with their optimizers


def plan(photos: str,
         labels: str,
         work_dir: str,
         time_budget: Optional[float] = None,
         device: Optional[str] = None,
         weights: Optional[str] = None,
         threshold: Union[None, float, str] = None,
         val_share: float = 0.15,
         allow_empty: bool = False,
         lenient: bool = False,
         affinity: bool = True,
         ask_affinity: bool = False,
         dry_run: bool = False,
         replan: bool = False) -> Dict[str, Any]:
    """Look at photos and tags, and choose how to learn from them.

    Written to ``work_dir``: ``plan.json``, the lists ``train.txt`` and
    ``val.txt``, and the configs ``data.py``, ``localizer.py``,
    ``segmentor.py`` and, where there is time, ``affinity.py``. A plan that is
    there is kept, and so are configs that a person has changed. Where photos,
    tags or options have changed, a plan from which nobody has learned or
    changed anything is made anew.

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
        threshold (float | str, optional): Background threshold of the masks;
            a plan that is there takes a new one. 'auto' is chosen when the
            maps are there. Defaults to None: that of the plan that is there,
            else 'auto'.
        val_share (float): Of the photos that are held out, in [0, 1).
        allow_empty (bool): Take photos without any tag.
        lenient (bool): Take photos that can be decoded though they show signs
            of damage.
        affinity (bool): Whether learned affinity may be chosen.
        ask_affinity (bool): Whether it is chosen in any case.
        dry_run (bool): Write nothing.
        replan (bool): Plan anew, also over configs that were changed.

    Returns:
        dict: What ``plan.json`` holds, and ``notes``, lines on what was kept.

    Raises:
        ConfigError: If an option cannot be followed, the folder holds
            something else or a plan for something else, or there is no room
            on the disk.
        DataError: With every problem of photos and tags.
    """
    check_threshold(threshold, most=1)
    if not 0 <= val_share < 1:
        raise ConfigError(f'--val-share {val_share}: give a number in [0, 1)')
    work_dir = osp.abspath(osp.expanduser(work_dir))
    given = osp.abspath(osp.expanduser(weights or ''))
    is_file = weights is not None and osp.isfile(given)
    weights = given if is_file else weights
    request: Dict[str, Any] = dict(
        photos=osp.abspath(photos), labels=osp.abspath(labels),
        time_budget=time_budget, device=device, weights=weights,
        weights_digest=file_digest(given) if is_file else None,
        threshold=threshold, val_share=val_share, allow_empty=allow_empty,
        lenient=lenient, affinity=affinity, ask_affinity=ask_affinity)
    refuse_photo_folder(work_dir, request['photos'], '--work-dir')
    used = use_device(device)
    stored = stored_plan(work_dir)
    found = read_tagged_photos(photos, labels, allow_empty, lenient)
    notes: List[str] = []
    if stored is not None and not replan:
        changes = plan_changes(stored, request, found)
        if not changes:
            move_places(stored, request, found)
            if threshold is not None:
                stored['choices']['threshold'] = dict(
                    value=threshold,
                    reason=_AUTO if threshold == 'auto' else _GIVEN)
            notes = complete(stored, found, work_dir, dry_run)
            return dict(stored, notes=notes)
        require_unused(stored, work_dir, changes)
        notes = [f'planned anew, as nothing was learned from the plan before: '
                 f'{few(changes)}']
    machine = describe_machine(used, work_dir)
    default = Config.fromfile(osp.join(
        shipped_configs(), BASES['localizer'])).pretrained
    source = default if weights is None else (
        None if weights == 'none' else weights)
    _check_weights(source, default)
    made = _planned(found, request, machine, source, default, work_dir)
    if not dry_run:
        notes += write_plan(made, found, work_dir, stored)
    return dict(made, notes=notes)


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
    choices.choose('lenient', request['lenient'],
                   'Given with --lenient.' if request['lenient'] else
                   'Every photo was decoded, and none is damaged.')
    values = choices.values
    asked = request['ask_affinity']
    affinity = asked or request['affinity'] and (
        learned >= AFFINITY_PHOTOS)
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
                             request['affinity'], asked)
    threshold = request['threshold']
    if threshold is None:
        threshold = 'auto'
    choices.choose('threshold', threshold,
                   _AUTO if threshold == 'auto' else _GIVEN)
    _choose_disk(choices, found, work_dir)
    texts = plan_file_texts(values, found, held_out, work_dir)
    return dict(
        request=request, machine=machine, fingerprint=facts,
        choices={name: dict(value=values[name], reason=reason)
                 for name, reason in choices.reasons.items()},
        seconds=stages, costs=costs.rounded(),
        configs={name: digest(text.encode())
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
                   f'{_CHECKPOINTS} GB for checkpoints, what is over for '
                   f'maps and masks; {free:.0f} GB are free.')
