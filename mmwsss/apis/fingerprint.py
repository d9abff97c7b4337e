"""What photos and their tags look like, before anything is learned."""
import os.path as osp
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Any, Dict, List, Sequence

import numpy as np
from mmengine.registry import init_default_scope

from mmwsss.datasets import ImageLevelDataset
from mmwsss.datasets.label_files import (
    class_colours,
    find_label_source,
    named_classes,
)
from mmwsss.files.digests import file_digest
from mmwsss.files.photos import photo_size, read_photo
from mmwsss.problems import DataError

FEW = 10
"""A class on fewer photos is hard to learn."""
ROUGH = 200
"""With fewer photos masks are rough."""
_SHOWN = 5  # names that a hint spells out


@dataclass
class TaggedPhotos:
    """Photos and what is on them, all of it checked.

    Attributes:
        folder (str): Where the photos are, absolute.
        label_source (dict): Config of what reads their tags.
        classes (list[str]): 'background' first, the others sorted.
        palette (list[list[int]]): An RGB colour a class.
        names (list[str]): Of the N photos, below ``folder``.
        labels (np.ndarray): Multi-hot, (N, C) without background.
        sizes (np.ndarray): Height and width in pixels, (N, 2).
        digests (list[str]): Of the content of each file.
        damaged (list[str]): Names of the photos that show signs of damage and
            are taken all the same.
    """
    folder: str
    label_source: Dict[str, Any]
    classes: List[str]
    palette: List[List[int]]
    names: List[str]
    labels: np.ndarray
    sizes: np.ndarray
    digests: List[str]
    damaged: Sequence[str] = ()

    def tags(self, index: int) -> List[str]:
        """The classes of a photo."""
        return [self.classes[i + 1]
                for i in np.flatnonzero(self.labels[index])]


def read_tagged_photos(photos: str, labels: str,
                       allow_empty: bool = False,
                       lenient: bool = False) -> TaggedPhotos:
    """Read a folder of photos and a file of tags, with all checks.

    Every photo is decoded once: no damage is met later, in the middle of a
    training.

    Args:
        photos (str): The folder; subfolders count.
        labels (str): See :func:`find_label_source`.
        allow_empty (bool): Whether photos without any class are taken.
        lenient (bool): Whether photos are taken that can be decoded though
            they show signs of damage. Defaults to False.

    Raises:
        DataError: With every problem of photos and tags.
    """
    if not osp.isdir(photos):
        raise DataError(f'photos {photos}: no such folder')
    source = find_label_source(labels)
    if osp.isdir(labels) and not osp.samefile(labels, photos):
        raise DataError(f'labels {labels}: another folder than that of the '
                        f'photos, {photos}; photos in a folder a class are '
                        'their own labels')
    if allow_empty:
        source['allow_empty'] = True
    classes = ['background', *named_classes(source, photos)]
    palette = class_colours(classes)
    folder = osp.abspath(photos)
    init_default_scope('mmwsss')
    dataset = ImageLevelDataset(
        metainfo=dict(classes=classes, palette=palette), data_root=folder,
        data_prefix=dict(img_path=''), label_source=source,
        pipeline=[dict(type='LoadPhoto', lenient=lenient)],
        check_images='decode')
    paths = [dataset.get_data_info(i)['img_path']
             for i in range(len(dataset))]
    with ThreadPoolExecutor() as pool:
        sizes = list(pool.map(partial(photo_size, lenient=lenient), paths))
        digests = list(pool.map(file_digest, paths))
        sound = list(pool.map(_is_sound, paths)) if lenient else []
    found = TaggedPhotos(
        folder, source, classes, palette,
        [osp.relpath(path, folder) for path in paths], dataset.labels,
        np.array(sizes), digests,
        [osp.relpath(path, folder) for path, whole in zip(paths, sound)
         if not whole])
    if found.labels.all():
        what = ' and '.join(repr(name) for name in classes[1:])
        raise DataError(
            f'{labels}: every photo shows {what}, so there is nothing to tell '
            'apart; add photos without, with an empty field of labels and '
            '--allow-empty, or of other classes')
    return found


def _is_sound(path: str) -> bool:
    try:
        read_photo(path)
    except DataError:
        return False
    return True


def fingerprint(found: TaggedPhotos) -> Dict[str, Any]:
    """What decides how to learn from photos and tags.

    Args:
        found (TaggedPhotos): The photos.

    Returns:
        dict: ``photos``, their number; ``classes``, photos by class;
        ``pairs``, photos by pair of classes that occur together; ``sizes``,
        the median and the largest in pixels; ``hints``, a sentence for each
        thing to look at.
    """
    together = found.labels.T @ found.labels  # (C, C)
    names = found.classes[1:]
    pairs = {f'{names[i]} + {names[j]}': int(together[i, j])
             for i, j in zip(*np.triu_indices(len(names), 1))
             if together[i, j]}
    median = np.median(found.sizes, 0).astype(int).tolist()
    largest = found.sizes[found.sizes.prod(1).argmax()].tolist()
    return dict(
        photos=len(found.names),
        classes={name: int(count) for name, count in
                 zip(names, together.diagonal())},
        pairs=pairs, sizes=dict(median=median, largest=largest),
        hints=_hints(found, together))


def _hints(found: TaggedPhotos, together: np.ndarray) -> List[str]:
    names, counts = found.classes[1:], together.diagonal()
    hints = _misspelt(names, counts)
    if found.damaged:
        more = len(found.damaged) - _SHOWN
        hints.append('damaged, and taken as they are: ' +
                     ', '.join(found.damaged[:_SHOWN]) +
                     (f' and {more} more.' if more > 0 else '.'))
    if len(found.names) < ROUGH:
        hints.append(f'{len(found.names)} photos: expect rough masks, above '
                     'all where several classes are on one photo; hundreds '
                     'of photos are better.')
    few = [f'{name!r} ({int(count)})' for name, count in zip(names, counts)
           if count < FEW]
    if few:
        hints.append(f'on few photos: {", ".join(few)}; some dozens of each '
                     'are a start.')
    for i, (name, count) in enumerate(zip(names, counts)):
        if count == len(found.names):
            hints.append(f'{name!r} is on every photo, so what tells it from '
                         'the background cannot be learned from tags.')
        always = [other for j, other in enumerate(names) if i != j
                  and counts[j] < len(found.names)
                  and together[i, j] == count >= 3]
        if always:
            hints.append(f'{name!r} never occurs without '
                         f'{" and ".join(map(repr, always))}; photos of one '
                         'without the other would tell them apart.')
    return hints + _copies(found)


def _misspelt(names: Sequence[str], counts: np.ndarray) -> List[str]:
    """Rare classes whose names are nearly those of more frequent ones."""
    plain = {name: name.casefold().replace(' ', '') for name in names}
    hints = []
    for name, count in zip(names, counts):
        others = [other for other, more in zip(names, counts)
                  if more > count or (more == count and other < name)]
        same = [other for other in others if plain[other] == plain[name]]
        close = same or get_close_matches(
            name, [other for other in others
                   if counts[names.index(other)] >= 2 * count], 1, cutoff=0.8)
        if close:
            hints.append(f'{name!r} ({int(count)} photo(s)) looks like '
                         f'{close[0]!r} misspelt.')
    return hints


def _copies(found: TaggedPhotos) -> List[str]:
    """Photos of the same content, above all those with other tags."""
    first: Dict[str, int] = {}
    hints, same = [], 0
    for index, digest in enumerate(found.digests):
        if digest not in first:
            first[digest] = index
            continue
        other = first[digest]
        same += 1
        if (found.labels[index] != found.labels[other]).any():
            hints.append(
                f'{found.names[other]} and {found.names[index]} are the same '
                f'photo, tagged {_shown(found.tags(other))} and '
                f'{_shown(found.tags(index))}.')
    if len(hints) > _SHOWN:
        hints = [*hints[:_SHOWN], f'... and {len(hints) - _SHOWN} more copies '
                 'with other tags.']
    if same:
        hints.append(f'{same} photo(s) are copies of others; copies are held '
                     'out, or learned from, together.')
    return hints


def _shown(tags: Sequence[str]) -> str:
    return ', '.join(tags) or 'nothing'


def photo_record(found: TaggedPhotos) -> Dict[str, str]:
    """Each photo's content and tags, by name, to tell what has changed."""
    return {name: ' '.join([digest, *found.tags(i)]) for i, (name, digest)
            in enumerate(zip(found.names, found.digests))}


def changed_photos(before: Dict[str, str], now: Dict[str, str]) -> List[str]:
    """What has changed since, a line a photo.

    Args:
        before (dict): See :func:`photo_record`.
        now (dict): The same, later.

    Example:
        >>> changed_photos({'a.jpg': '1 dog', 'b.jpg': '2 cat'},
        ...                {'a.jpg': '1 cat'})
        ['a.jpg has other tags (dog -> cat)', 'b.jpg is gone']
    """
    lines = []
    for name in sorted({*before, *now}):
        old, new = before.get(name), now.get(name)
        if old is None or new is None:
            lines.append(f'{name} is ' + ('new' if old is None else 'gone'))
        elif old != new:
            (was, *tags), (is_now, *others) = old.split(' '), new.split(' ')
            lines.append(f'{name} is another picture' if was != is_now else
                         f'{name} has other tags ({" ".join(tags)} -> '
                         f'{" ".join(others)})')
    return lines


def write_lists(found: TaggedPhotos, held_out: np.ndarray) -> Dict[str, str]:
    """The lists of photos to learn from and held out.

    Args:
        found (TaggedPhotos): The photos.
        held_out (np.ndarray): bool, (N, ).

    Returns:
        dict[str, str]: Content of ``train.txt`` and ``val.txt``.
    """
    return {name: ''.join(f'{found.names[i]}\n'
                          for i in np.flatnonzero(part))
            for name, part in (('train.txt', ~held_out),
                               ('val.txt', held_out))}
