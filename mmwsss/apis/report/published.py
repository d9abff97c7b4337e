"""Published rows beside a run's, where both were measured alike."""
from typing import Any, Dict, List, Optional, Sequence, Tuple

from mmwsss.datasets.class_prompts import squash
from mmwsss.registry import DATASETS
from mmwsss.visualization.report import Section, Table, Text

from ..result_tables import read_published
from .runs import Part, Run

_CLASSES = dict(voc12='VOC12Dataset', coco14='COCO14Dataset')
_PHOTOS = {('voc12', 'seed'): (1464, 10582), ('voc12', 'val'): (1449, ),
           ('coco14', 'seed'): (82081, 82783), ('coco14', 'val'): (40504,
                                                                   40137)}
"""Photos of the published scores, by data set and column."""


def published_section(run: Run) -> Optional[Section]:
    """Rows of papers; why there are none, for a data set that has some."""
    scored = [(part, _dataset(part)) for part in run.parts
              if part.scores.get('mIoU') is not None]
    rows: List[Sequence[Any]] = []
    others = []
    for part, dataset in scored:
        if dataset is None:
            continue
        column, reason = _protocol(part, dataset)
        if reason:
            others.append(reason)
            continue
        rows += [(entry['method'], entry['backbone'] or None,
                  entry['scores'][column], entry['source'])
                 for entry in read_published(dataset)
                 if column in entry['scores']]
        rows.append((f'this run, {part.title}', None, part.scores['mIoU'],
                     'here'))
    if rows:
        return Section('Beside published results', [Table(
            'mIoU in per cent', ['method', 'backbone', 'mIoU', 'source'],
            rows)])
    if others:
        return Section('Beside published results', [Text(
            'None are shown, as they would mislead: ' + '; '.join(
                dict.fromkeys(others)) + '.')])
    return None


def _dataset(part: Part) -> Optional[str]:
    """The data set whose classes a part has."""
    if part.records is None:
        return None
    names = [squash(name) for name in part.records.classes]
    for dataset, kind in _CLASSES.items():
        known: Dict[str, Any] = DATASETS.get(kind).METAINFO
        if names == [squash(name) for name in known['classes']]:
            return dataset
    return None


def _protocol(part: Part, dataset: str) -> Tuple[str, str]:
    """The column that a score belongs to, and why it belongs to none."""
    records = part.records
    assert records is not None
    column = 'seed' if 'mIoU_curve' in part.scores else 'val'
    classes, count = len(records.classes), len(records.photos)
    scored = len(part.scores.get('IoU', {}))
    if scored != classes:
        return column, (f'{part.title}: scored over {scored} classes, '
                        f'papers over {classes}')
    if count not in _PHOTOS[dataset, column]:
        wanted = ' or '.join(f'{one:,}' for one in _PHOTOS[dataset, column])
        return column, (f'{part.title}: scored on {count:,} photos, papers '
                        f'on {wanted}')
    return column, ''
