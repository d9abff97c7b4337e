"""Class names of the common data sets and the words to prompt CLIP with."""
import os.path as osp
import re
from typing import Dict, Tuple

from mmwsss.files.masks import check_class_count
from mmwsss.files.text_files import read_lines
from mmwsss.problems import DataError, unknown_name

# What a class is called in a prompt, under the name that its data set gives
# it. A name that is plain English stands for itself; several phrases are
# averaged.
ClassPrompts = Dict[str, Tuple[str, ...]]

# The 20 foreground classes of mmseg's PascalVOCDataset, in its order.
VOC12: ClassPrompts = {
    'aeroplane': ('aeroplane', 'airplane'),
    'bicycle': ('bicycle', ),
    'bird': ('bird', ),
    'boat': ('boat', ),
    'bottle': ('bottle', ),
    'bus': ('bus', ),
    'car': ('car', ),
    'cat': ('cat', ),
    'chair': ('chair', ),
    'cow': ('cow', ),
    'diningtable': ('dining table', ),
    'dog': ('dog', ),
    'horse': ('horse', ),
    'motorbike': ('motorbike', 'motorcycle'),
    'person': ('person', ),
    'pottedplant': ('potted plant', ),
    'sheep': ('sheep', ),
    'sofa': ('sofa', 'couch'),
    'train': ('train', ),
    'tvmonitor': ('tv monitor', 'tv', 'television'),
}

# The 80 thing classes of COCO's instance annotations, by category id.
COCO80: ClassPrompts = {
    name: (name, )
    for name in (
        'person', 'bicycle', 'car', 'motorcycle', 'airplane', 'bus', 'train',
        'truck', 'boat', 'traffic light', 'fire hydrant', 'stop sign',
        'parking meter', 'bench', 'bird', 'cat', 'dog', 'horse', 'sheep',
        'cow', 'elephant', 'bear', 'zebra', 'giraffe', 'backpack', 'umbrella',
        'handbag', 'tie', 'suitcase', 'frisbee', 'skis', 'snowboard',
        'sports ball', 'kite', 'baseball bat', 'baseball glove', 'skateboard',
        'surfboard', 'tennis racket', 'bottle', 'wine glass', 'cup', 'fork',
        'knife', 'spoon', 'bowl', 'banana', 'apple', 'sandwich', 'orange',
        'broccoli', 'carrot', 'hot dog', 'pizza', 'donut', 'cake', 'chair',
        'couch', 'potted plant', 'bed', 'dining table', 'toilet', 'tv',
        'laptop', 'mouse', 'remote', 'keyboard', 'cell phone', 'microwave',
        'oven', 'toaster', 'sink', 'refrigerator', 'book', 'clock', 'vase',
        'scissors', 'teddy bear', 'hair drier', 'toothbrush')
}

CLASS_LISTS = {'voc12': VOC12, 'coco80': COCO80}
_SHORT_NAMES = {'voc': 'voc12', 'coco': 'coco80'}


def get_class_prompts(source: str) -> ClassPrompts:
    """Class names and their prompt phrases.

    Args:
        source (str): ``'voc12'`` (or 'voc'), ``'coco80'`` (or 'coco') or the
            path of a text file with one class a line: its name, then other
            words for it after commas (``sofa, couch``). Empty lines and lines
            that start with ``#`` are left out.

    Returns:
        dict[str, tuple[str, ...]]: Phrases of each class, in order.

    Raises:
        DataError: If the list is unknown, empty, or names a class twice or
            the background.
    """
    source = _SHORT_NAMES.get(source, source)
    if source in CLASS_LISTS:
        return dict(CLASS_LISTS[source])
    if not osp.isfile(source):
        raise DataError(unknown_name('class list', source, CLASS_LISTS) +
                        '; or give a text file with one class name a line')
    classes: ClassPrompts = {}
    for number, line in enumerate(read_lines(source), start=1):
        if not line.strip() or line.lstrip().startswith('#'):
            continue
        phrases = tuple(word.strip() for word in line.split(','))
        if not all(phrases):
            raise DataError(f'{source} line {number}: {line.strip()!r} has an '
                            'empty word; write: name, other word, ...')
        if squash(phrases[0]) == 'background':
            raise DataError(f'{source} line {number}: the background is not '
                            'written here, it is always there; remove it')
        if not phrases[0].isprintable():
            raise DataError(f'{source} line {number}: class {phrases[0]!r} '
                            'has control characters')
        if phrases[0] in classes:
            raise DataError(f'{source} line {number}: class {phrases[0]!r} '
                            'stands there a second time; remove one')
        classes[phrases[0]] = phrases
    check_class_count(len(classes) + 1, source)
    if not classes:
        raise DataError(f'{source}: no class name in it; write one a line')
    return classes


def same_class(name: str, other: str) -> bool:
    """Whether two names mean one class: 'diningtable' and 'Dining table'.

    Case, spaces and punctuation do not count, and what VOC and COCO call the
    same object does not either ('tvmonitor' and 'tv').

    Args:
        name (str): Name of a class.
        other (str): Name of a class, perhaps in another data set.
    """
    return squash(name) == squash(other) or (
        _SYNONYMS.get(squash(name), 0) == _SYNONYMS.get(squash(other), 1))


def squash(name: str) -> str:
    """Lower-case letters and digits only: 'Dining table' -> 'diningtable'."""
    return re.sub(r'[\W_]+', '', name.lower())


# Squashed word -> squashed VOC name of the class it belongs to.
_SYNONYMS = {
    squash(word): squash(name)
    for name, phrases in VOC12.items() for word in (name, *phrases)
}
