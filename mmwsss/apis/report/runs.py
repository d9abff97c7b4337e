"""What lies in the folders of finished work, whoever made it."""
import glob
import json
import os
import os.path as osp
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence

from mmwsss.problems import DataError

from ..photo_records import PhotoRecords
from ..stages import RECORD
from .damage import PLAN, Damage

SCORES = ('scores.json', 'test_scores.json', 'evaluation.json')
DOUBTS = osp.join('doubtful_labels', 'doubtful_labels.json')


@dataclass
class Part:
    """A stage of a run, or a folder of results.

    Attributes:
        name (str): What it is called.
        folder (str): Where it lies.
        record (dict): Its ``stage.json``; empty where there is none.
        scores (dict): What its file of scores holds.
        crf (dict): The scores after a CRF.
        curves (list[dict]): The lines of its ``scalars.json``.
        config (str, optional): Path of the config it was made with.
        records (PhotoRecords, optional): Its photos.
        damage (Damage): What of it and its run could not be read.
        words (str): What it did, in words; see :func:`name_parts`.
    """
    name: str
    folder: str
    record: Dict[str, Any] = field(default_factory=dict)
    scores: Dict[str, Any] = field(default_factory=dict)
    crf: Dict[str, Any] = field(default_factory=dict)
    curves: List[Dict[str, Any]] = field(default_factory=list)
    config: Optional[str] = None
    records: Optional[PhotoRecords] = None
    words: str = ''
    damage: Damage = field(default_factory=lambda: Damage(''))

    def leave_out(self, path: str, error: DataError) -> None:
        """Note a file of the part that cannot be read."""
        self.damage.note(error, path, self.damage.again(self.folder))

    @property
    def title(self) -> str:
        """What it is called on the page."""
        return self.words or self.name

    @property
    def settings(self) -> Dict[str, Any]:
        """What it was made with."""
        return self.record.get('settings', {})

    @property
    def finished(self) -> bool:
        """Whether it ran to its end; True where nobody noted it."""
        return not self.record or self.record.get('results') is not None


@dataclass
class Run:
    """What was made together.

    Attributes:
        title (str): What it is called.
        folder (str): Where it lies.
        parts (list[Part]): In the order of the work.
        doubts (list[dict]): Labels that photos contradict.
        plan (dict): The decisions of a planned run.
        damage (Damage): What could not be read.
    """
    title: str
    folder: str
    parts: List[Part]
    doubts: List[dict] = field(default_factory=list)
    plan: Dict[str, Any] = field(default_factory=dict)
    damage: Damage = field(default_factory=lambda: Damage(''))


def find_runs(folder: str) -> List[Run]:
    """The runs in a folder: one, or those of a comparison.

    Args:
        folder (str): Of a pipeline, comparison, sweep or other results.

    Raises:
        DataError: If it holds none.
    """
    if not osp.isdir(folder):
        raise DataError(f'{folder}: no such folder; name one of results')
    # The page says below what of it cannot be read.
    compared = Damage(folder).object(osp.join(folder, 'comparison.json'))
    places = [(f'{row["name"]}, seed {osp.basename(place)[5:]}', place)
              for row in _list(compared.get('rows'))
              if isinstance(row, dict) and isinstance(row.get('name'), str)
              for place in sorted(glob.glob(osp.join(
                  glob.escape(osp.join(folder, row['name'])), 'seed_*')))]
    runs = [_run(title, place) for title, place in places or
            [(osp.basename(osp.abspath(folder)), folder)]]
    runs = [run for run in runs if run.parts]
    if not runs:
        raise DataError(
            f'{folder}: holds no results; name the folder of run_pipeline, '
            'compare, sweep, gen_pseudo or test, with '
            f'{RECORD} or {SCORES[0]} in it')
    return runs


def _run(title: str, folder: str) -> Run:
    names = sorted(os.listdir(folder))
    damage = Damage(folder)
    stages = [_part(name, osp.join(folder, name), damage) for name in names
              if osp.isfile(osp.join(folder, name, RECORD))]
    own = _part(title, folder, damage)
    parts = [part for part in [own, *_in_order(stages)]
             if part.record or part.scores or part.curves]
    doubts = [row for row in _list(damage.object(
        osp.join(folder, DOUBTS)).get('rows')) if isinstance(row, dict)]
    plan = damage.object(
        osp.join(folder, PLAN), 'masks and networks are as they were, but '
        'to go on or to plan again give mmwsss fit another --work-dir')
    return Run(title, folder, parts, doubts, plan, damage)


def _in_order(parts: Sequence[Part]) -> List[Part]:
    """Stages after those that they take from; by name where that is open."""
    begun = {part.record.get('key'): part for part in parts}
    ordered: List[Part] = []

    def add(part: Part) -> None:
        if part in ordered:
            return
        for key in part.record.get('inputs', {}).values():
            if key in begun and begun[key] is not part:
                add(begun[key])
        ordered.append(part)

    for part in sorted(parts, key=lambda part: osp.getmtime(
            osp.join(part.folder, RECORD))):
        add(part)
    return ordered


def _part(name: str, folder: str, damage: Damage) -> Part:
    scores: Dict[str, Any] = {}
    for file in SCORES:
        scores = scores or damage.object(osp.join(folder, file))
    record = damage.object(
        osp.join(folder, RECORD), f'to have it again, run {damage.command}')
    return Part(name, folder, record, scores,
                damage.object(osp.join(folder, 'test_scores_crf.json')),
                _curves(folder), _config(folder), damage=damage)


def _list(value: Any) -> List[Any]:
    """A list of a file, none where the file has something else there."""
    return value if isinstance(value, list) else []


def _curves(folder: str) -> List[Dict[str, Any]]:
    """All lines that training and validation reported, in order."""
    rows = []
    for path in sorted(glob.glob(osp.join(glob.escape(folder), '*',
                                          'vis_data', 'scalars.json'))):
        with open(path, encoding='utf-8', errors='replace') as file:
            for line in file:
                try:
                    row = json.loads(line)
                except ValueError:  # the run was killed while it wrote it
                    continue
                if isinstance(row, dict):
                    rows.append(row)
    return rows


def _config(folder: str) -> Optional[str]:
    """The config that a Runner left in its folder."""
    found = sorted(glob.glob(osp.join(glob.escape(folder), '*.py')))
    return found[0] if found else None
