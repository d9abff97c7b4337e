"""The parts of a report, in the order in which one reads them."""
import logging
import os.path as osp
from typing import Any, Dict, List, Optional, Sequence, Tuple

from mmengine.logging import print_log

from mmwsss.files.json_files import read_json
from mmwsss.problems import one_line
from mmwsss.visualization.report import (
    Pictures,
    Section,
    Table,
    Text,
    curves,
)
from mmwsss.visualization.tables import spread

from .class_sections import agreement_section, class_sections
from .doubts import doubt_pictures
from .overview import overview
from .published import published_section
from .runs import Part, Run
from .training_sections import training_section

MASK_MEANING = (
    'mIoU says how good masks are. For each class, IoU is the number of '
    'pixels that are the class both in the mask and in truth, divided by '
    'those that are the class in at least one of the two: 100 % is a mask '
    'that is right everywhere, 0 % one that misses the object. mIoU is the '
    'mean over the classes, with the background as one of them.')
LABEL_MEANING = (
    'mAP says how well the network knows what is on a photo, not where: for '
    'each class all photos are ordered by how sure the network is, and '
    'average precision is 100 % if all photos with the class come before the '
    'others.')
MEANING = f'{MASK_MEANING} {LABEL_MEANING}'
UNKNOWN = (
    'Without true masks nothing measures how good masks are. What can be '
    'said without them stands below: labels that a network contradicts, how '
    'much of the photos masks cover, labelled classes that are in no mask, '
    'and how far the masks of two stages agree. The rest is to be seen on '
    'the photos.')


def summary(runs: Sequence[Run]) -> List[Tuple[str, str]]:
    """What one looks at first: how much was made, and how good it is."""
    if len(runs) > 1:
        return [('runs', str(len(runs)))]
    [run] = runs
    found: List[Tuple[str, str]] = []
    photos = {photo.photo for part in run.parts if part.records is not None
              for photo in part.records.photos}
    if photos:
        found.append(('photos with masks', f'{len(photos):,}'))
    for part in run.parts:
        best = part.scores.get('mIoU') or part.scores.get('best_mIoU')
        if best is not None:
            found.append((f'mIoU, {part.title}', f'{best:.1f} %'))
        if (part.settings.get('split') == 'val'
                and part.scores.get('mAP') is not None):
            found.append(('mAP of the labels of held-out photos',
                          f'{part.scores["mAP"]:.1f} %'))
    if run.doubts:
        found.append(('labels to look at', str(len(run.doubts))))
    left = [part.title for part in run.parts if not part.finished]
    if left:
        found.append(('not finished', ', '.join(left)))
    return found


def run_sections(run: Run, several: bool = False) -> List[Section]:
    """All sections of a run.

    Args:
        run (Run): With the records of its photos.
        several (bool): Whether other runs stand on the page as well: then
            the sections bear its name and open with a click.
    """
    sections = [_scores(run), _doubts(run), *class_sections(run),
                agreement_section(run), training_section(run),
                published_section(run), overview(run)]
    kept = [section for section in sections
            if section is not None and section.blocks]
    if several:
        for section in kept:
            section.title = f'{run.title}: {section.title}'
            section.folded = True
    return kept


def _scores(run: Run) -> Optional[Section]:
    rows: List[Sequence[Any]] = []
    for part in run.parts:
        scores = part.scores
        count = _count(part)
        threshold = scores.get('threshold')
        at = (f', background threshold {threshold:.2f}'
              if isinstance(threshold, float) else '')
        seen = part.settings.get('split') == 'train'
        for name, value in (
                ('mAP, on photos that it learned from' if seen else 'mAP',
                 scores.get('mAP')),
                (f'mIoU{at}', scores.get('mIoU')),
                ('mIoU at the best threshold', None if 'mIoU' in scores else
                 scores.get('best_mIoU')),
                ('mIoU after a CRF', part.crf.get('mIoU'))):
            if value is not None:
                rows.append((part.title, name, count, float(value)))
        if _unscored(part):
            rows.append((part.title,
                         f'masks{at}, no true ones to compare with', count,
                         None))
    if not rows:
        return None
    names = {name.split(',')[0].split(' ')[0] for _, name, *_ in rows}
    texts = [Text(text) for name, text in (
        ('mIoU', MASK_MEANING), ('mAP', LABEL_MEANING)) if name in names]
    if 'mIoU' not in names:
        texts.append(Text(UNKNOWN))
    return Section('How good it is', [
        *texts, Table('Scores, stage by stage', [
            'stage', 'score', 'photos', 'per cent'], rows)])


def _unscored(part: Part) -> bool:
    """Whether it made masks, and there are no true ones."""
    if part.records is not None and part.records.photos:
        return all(photo.truth is None for photo in part.records.photos)
    return part.scores.get('images_with_masks') == 0


def _count(part: Part) -> Optional[int]:
    count = part.scores.get('images')
    if count is None and part.records is not None:
        count = len(part.records.photos)
    return count


def _doubts(run: Run) -> Optional[Section]:
    if not run.doubts:
        return None
    return Section('Look at these labels', [
        Text('The network, which had not learned from these photos, '
             'contradicts their labels. Some of the labels may be wrong: a '
             'class that was forgotten, or one that is not on the photo. '
             'Those that it doubts most come first.'),
        Pictures(doubt_pictures(run.doubts, {
            photo.name: photo.photo for part in run.parts if part.records
            for photo in part.records.photos}))])


def damage_sections(runs: Sequence[Run]) -> List[Section]:
    """What could not be read, and what makes it again."""
    lines = [line for run in runs for line in run.damage.lines.shown()]
    for line in lines:
        print_log(line, 'current', logging.WARNING)
    return [Section('Files that could not be read', [
        Text(line) for line in lines])] if lines else []


def comparison_sections(places: Sequence[str]) -> List[Section]:
    """The tables of comparisons and sweeps among the folders."""
    sections = []
    for place in places:
        for name, section in (('comparison', _comparison), ('sweep', _sweep)):
            path = osp.join(place, f'{name}.json')
            if osp.isfile(path):
                try:
                    sections.append(section(read_json(path)))
                except (AttributeError, KeyError, TypeError,
                        ValueError) as error:
                    line = (f'left out: {path}: not what was written '
                            f'({one_line(error)}); run tools/'
                            f'{"compare" if name == "comparison" else name}.py'
                            ' as before, which writes it again')
                    print_log(line, 'current', logging.WARNING)
                    sections.append(Section(f'No {name}', [Text(line)]))
    return sections


def side_by_side(runs: Sequence[Run]) -> List[Section]:
    """The scores of several runs in one table; none for one run."""
    scores = {run.title: {
        f'{name}, {part.title}': part.scores[name] for part in run.parts
        for name in ('mAP', 'mIoU') if part.scores.get(name) is not None}
        for run in runs}
    headings = list(dict.fromkeys(
        name for found in scores.values() for name in found))
    if len(runs) < 2 or not headings:
        return []
    return [Section('Side by side', [Text(MEANING), Table(
        'Scores in per cent', ['run', *headings],
        [[title, *(found.get(name) for name in headings)]
         for title, found in scores.items()])])]


def _comparison(content: Dict[str, Any]) -> Section:
    rows = content['rows']
    headings = list(dict.fromkeys(
        name for row in rows for name in row['scores']))
    return Section('Methods side by side', [
        Text('Mean, standard deviation and, in brackets, the number of '
             'seeds, in per cent. A difference that is smaller than the '
             'deviations may be chance.'),
        Text(MEANING),
        Table('Scores by method', ['method', *headings], [
            [row['name'], *(spread(row['scores'].get(name, []))
                            for name in headings)] for row in rows])])


def _sweep(content: List[Dict[str, Any]]) -> Section:
    names, metrics = (list(content[0][key]) if content else []
                      for key in ('options', 'scores'))
    blocks: List[Any] = [Table('Every combination', [*names, *metrics], [
        [*map(str, row['options'].values()), *row['scores'].values()]
        for row in content])]
    if len(names) == 1:
        blocks.append(curves(
            f'Scores by {names[0]}',
            [str(row['options'][names[0]]) for row in content],
            {metric: [row['scores'][metric] for row in content]
             for metric in metrics}, names[0], 'score'))
    return Section('Settings side by side', blocks)
