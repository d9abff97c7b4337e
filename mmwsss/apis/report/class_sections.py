"""Scores by class: tables, thresholds, confusion, areas, agreement."""
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

import numpy as np

from mmwsss.evaluation.photo_scores import (
    FAILURES,
    SIGNS,
    confusion,
    photo_counts,
    shown_classes,
)
from mmwsss.parallel.progress import in_threads
from mmwsss.problems import DataError
from mmwsss.visualization.report import (
    Matrix,
    Section,
    Table,
    Text,
    bars,
    curves,
)

from ..photo_records import PhotoRecord, PhotoRecords
from .runs import Part, Run

# Number of a pair of parts; of each its records and the photo.
_Pair = Tuple[int, PhotoRecords, PhotoRecord, PhotoRecords, PhotoRecord]
_RATES = {'AP': 'AP', 'IoU': 'IoU', 'precision': 'precision',
          'recall': 'recall'}
_MEANINGS = dict(
    AP='AP is average precision, of the network as a classifier.',
    IoU='IoU is what mask and object share, divided by what either covers.',
    precision='Precision is the share of the mask that lies on the object.',
    recall='Recall is the share of the object that the mask covers.')


def class_sections(run: Run) -> List[Section]:
    """For each part with masks, what is to be said of each class."""
    sections = []
    for part in run.parts:
        blocks: List[Any] = []
        if any(isinstance(part.scores.get(name), dict) for name in _RATES):
            blocks += _scores(part)
        if isinstance(part.scores.get('mIoU_curve'), dict):
            blocks.append(_thresholds(part))
        if part.records is not None and part.records.photos:
            blocks += _masks(part.records)
        if blocks:
            sections.append(Section(f'Classes: {part.title}', blocks))
    return sections


def _scores(part: Part) -> List[Any]:
    columns = {title: part.scores[name] for name, title in _RATES.items()
               if isinstance(part.scores.get(name), dict)}
    if isinstance(part.crf.get('IoU'), dict):
        columns['IoU after a CRF'] = part.crf['IoU']
    names = max(columns.values(), key=len)  # AP has no background
    blocks: List[Any] = [
        Text(' '.join(text for name, text in _MEANINGS.items()
                      if name in columns)),
        Table('By class, in per cent', ['class', *columns], [
            [name, *(values.get(name) for values in columns.values())]
            for name in names])]
    if 'IoU' in columns:
        blocks.append(bars(f'IoU by class, {part.title}', columns['IoU'],
                           'IoU (%)'))
    return blocks


def _thresholds(part: Part) -> Any:
    curve = {float(place): value
             for place, value in part.scores['mIoU_curve'].items()}
    threshold = part.scores.get('threshold')
    return curves(
        'mIoU by background threshold: a pixel whose map values all lie '
        'below the threshold becomes background. A high and broad hill is '
        'good, as then the threshold matters little.',
        list(curve), {'mIoU': list(curve.values())}, 'background threshold',
        'mIoU (%)', threshold if isinstance(threshold, float) else None)


def _masks(records: PhotoRecords) -> List[Any]:
    blocks: List[Any] = []
    photos = records.photos
    names = records.classes
    if any(photo.truth for photo in photos):
        matrix = confusion([photo.counts for photo in photos
                            if photo.truth], len(names))
        blocks += [Text(
            'Each line of the next table is a true class: it says what share '
            'of its pixels masks show as which class. In the diagonal, in '
            'bold, is what is right.'), _matrix(matrix, names)]
        blocks.append(_failures('Failures, compared with the true masks',
                                FAILURES, [one.failures for one in photos]))
    blocks.append(_failures('What looks wrong without true masks', SIGNS,
                            [one.signs for one in photos]))
    blocks += [Text(
        'The next table says how much of the photos masks cover. Of a class '
        'that is labelled but in no mask the network found nothing; a '
        'median near 100 % means masks that spill over. Specks of less than '
        '0.2 % of a photo do not count as being in its mask.'),
        _areas(records)]
    return blocks


def _failures(caption: str, names: Iterable[str],
              photos: Sequence[Dict[int, List[str]]]) -> Table:
    """How many photos have each failure, for one class at least."""
    failed = dict.fromkeys(names, 0)
    for found in photos:
        for name in {one for names in found.values() for one in names}:
            failed[name] += 1
    return Table(caption, ['failure', 'photos'], list(failed.items()))


def _matrix(matrix: np.ndarray, names: List[str]) -> Matrix:
    total = matrix.sum(1, keepdims=True)
    rows = [[None if not count else 100 * value / count for value in line]
            for line, [count] in zip(matrix.tolist(), total.tolist())]
    columns = [*names, 'left open']
    if not matrix[:, -1].any():
        columns, rows = names, [row[:-1] for row in rows]
    return Matrix('Where the pixels of each class went, in per cent', columns,
                  rows)


def _areas(records: PhotoRecords) -> Table:
    """How much of the photos each class covers."""
    rows = []
    for index, name in enumerate(records.classes):
        areas = [photo.areas.get(index, 0.) for photo in records.photos]
        shown = [photo.areas[index] for photo in records.photos
                 if index in shown_classes(photo.areas) or (
                     index == 0 and 0 in photo.areas)]
        tagged = [photo for photo in records.photos
                  if index in (photo.labels or ())]
        rows.append((
            name, len(shown),
            len([one for one in tagged
                 if index not in shown_classes(one.areas)])
            if index and tagged else None,
            float(np.median(shown)) if shown else None,
            sum(areas) / len(areas)))
    return Table(
        'How much of the photos masks cover',
        ['class', 'photos with it in the mask', 'labelled, but not in it',
         'median share of those photos (%)', 'share of all photos (%)'], rows)


def agreement_section(run: Run) -> Optional[Section]:
    """How alike the masks of two parts are that have the same photos."""
    parts = [(part.title, part.records) for part in run.parts
             if part.records is not None]
    pairs = [(one, other) for i, one in enumerate(parts)
             for other in parts[i + 1:]]
    jobs: List[_Pair] = []
    for number, ((_, records), (_, other)) in enumerate(pairs):
        if records.classes == other.classes:
            both = {photo.photo: photo for photo in other.photos}
            jobs += [(number, records, photo, other, both[photo.photo])
                     for photo in records.photos if photo.photo in both]
    counts: Dict[int, List[Any]] = {}
    if jobs:  # one bar, however many pairs there are
        for number, count in in_threads(_compare, jobs, 'Comparing masks',
                                        len(jobs)):
            counts.setdefault(number, []).append(count)
    blocks: List[Any] = []
    for number, found in counts.items():
        (name, records), (other_name, _) = pairs[number]
        ious = _agreement(found, len(records.classes))
        if ious:
            blocks.append(Table(
                f'{name} and {other_name}, {len(found)} photos: IoU of the '
                'one with the other', ['class', 'per cent'],
                [*((records.classes[index], iou)
                   for index, iou in ious.items()),
                 ('mean of these', float(np.mean([*ious.values()])))]))
    if not blocks:
        return None
    return Section('How far masks agree', [Text(
        'Masks of the same photos from two stages, compared with each other '
        'and not with the truth. Where they differ, at least one is wrong; '
        'that they are alike does not make them right.'), *blocks])


def _compare(pair: _Pair) -> Tuple[int, Any]:
    """The number of the pair of parts, and what their masks share."""
    number, records, photo, other, same = pair
    try:
        masks = records.mask(photo), other.mask(same)
    except DataError:  # the gallery says so
        return number, []
    return number, (photo_counts(*masks)
                    if masks[0].shape == masks[1].shape else [])


def _agreement(counts: Sequence[Any], classes: int) -> Dict[int, float]:
    """IoU in per cent by class, of those that either part shows."""
    matrix = confusion(list(counts), classes)[:, :-1]
    hits = matrix.diagonal()
    union = matrix.sum(0) + matrix.sum(1) - hits
    return {index: 100 * float(hits[index] / union[index])
            for index in union.nonzero()[0].tolist()}
