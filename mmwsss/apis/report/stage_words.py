"""What the stages of a run are called on the page."""
from typing import Dict, Optional, Sequence, Set

from .runs import Part, Run

_PHOTOS = dict(train='the training photos', val='the held-out photos')


def name_parts(run: Run) -> None:
    """Give each stage a title in words, from what it did and took.

    Names of stages are names of folders and may be anything; what a stage
    did is in its record. A part without one keeps its name. Of two stages
    that did the same, each has its name behind the words.

    Args:
        run (Run): With the records of its photos; its parts are changed.
    """
    networks = {part.record.get('key'): _network(part) for part in run.parts
                if part.settings.get('stage') == 'Train'}
    learned = _photos(run, 'train') - _photos(run, 'val')
    for part in run.parts:
        part.words = _words(part, networks, learned)
    words = [part.title for part in run.parts]
    for part in run.parts:
        if words.count(part.words) > 1:
            part.words = f'{part.words} ({part.name})'


def opening_part(parts: Sequence[Part]) -> Optional[Part]:
    """The part whose masks one looks at first.

    These are the masks that a later training learned from, else the last
    ones of the training photos, else the last ones of maps, else the last.

    Args:
        parts (Sequence[Part]): In the order of the work, with the records of
            their photos.

    Returns:
        Part, optional: None if no part has masks.
    """
    made = [part for part in parts if part.records and part.records.photos]
    taken = {part.record.get('inputs', {}).get('masks') for part in parts}
    for found in (
            [part for part in made if part.record.get('key') in
             taken - {None}],
            [part for part in made if part.settings.get('split') == 'train'],
            [part for part in made if 'split' in part.settings], made):
        if found:
            return found[-1]
    return None


def _photos(run: Run, split: str) -> Set[str]:
    """The photos of a split that masks were made of."""
    return {photo.photo for part in run.parts
            if part.settings.get('split') == split and part.records
            for photo in part.records.photos}


def _network(part: Part) -> str:
    """The network that a training made, by what it learned from."""
    inputs = part.record.get('inputs', {})
    if not inputs:
        return 'the localizer'
    if 'masks' in inputs:
        return 'the segmentation network'
    if inputs.keys() & {'maps', 'threshold'}:
        return 'the affinity network'
    return f'the network {part.name}'


def _words(part: Part, networks: Dict[Optional[str], str],
           learned: Set[str]) -> str:
    kind, inputs = part.settings.get('stage'), part.record.get('inputs', {})
    if kind == 'Train':
        return networks[part.record.get('key')]
    if kind == 'CheckLabels':
        return 'doubtful labels'
    if kind == 'Generate':
        photos = _PHOTOS.get(str(part.settings.get('split')), 'photos')
        return f'masks of {photos}{_refined(part)}'
    if kind == 'Test':
        network = networks.get(inputs.get('checkpoint'), 'the network')
        tested = part.records.photos if part.records else []
        seen = any(photo.photo in learned for photo in tested)
        return f'{network} on {_PHOTOS["train" if seen else "val"]}'
    return ''


def _refined(part: Part) -> str:
    """By what the maps of an earlier stage became better."""
    inputs = part.record.get('inputs', {})
    if 'maps' not in inputs:
        return ''
    kind = ('model.type' if 'checkpoint' in inputs else 'refiners.0.type')
    name = part.settings.get(kind)
    return f' after {str(name).rsplit(".", 1)[-1]}' if name else ' refined'
