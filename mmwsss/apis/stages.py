"""Stages of a path: each has its folder, runs once and is never mixed up."""
import copy
import glob
import hashlib
import json
import logging
import os
import os.path as osp
import shutil
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import (
    Any,
    Callable,
    ClassVar,
    Dict,
    Iterator,
    List,
    Optional,
    Sequence,
    Tuple,
)

from mmengine.config import Config
from mmengine.logging import print_log

from mmwsss.files.json_files import read_json, write_json
from mmwsss.files.lost_files import lost_files
from mmwsss.files.run_folder import has_whole_weights, newest_checkpoint
from mmwsss.parallel.listeners import note_stage
from mmwsss.problems import ConfigError, DataError

from .class_counts import check_class_counts, config_classes
from .doubtful_labels import REPORT, find_doubtful_labels
from .environment import environment
from .generation import generate_pseudo_labels
from .result_settings import result_settings
from .testing import test
from .training import best_checkpoint, train
from .whole_results import nothing_lost, photos_are_whole

Given = Dict[str, dict]
RECORD = 'stage.json'
_SHOWN = 6  # differences that a message spells out


@dataclass
class Stage(ABC):
    """One step of a path.

    A kind of stage implements :meth:`work`.

    Attributes:
        name (str): Its folder under the work folder, and what later stages
            call it.
        config (Config): What it works with.
        inputs (dict[str, str]): What it takes -> the stage that made it, e.g.
            ``dict(checkpoint='localizer')``.
        adapt (Callable, optional): Called with a copy of the config and the
            results of the inputs, for settings that follow from results; it
            changes the copy.
    """
    name: str
    config: Config
    inputs: Dict[str, str] = field(default_factory=dict)
    adapt: Optional[Callable[[Config, Given], None]] = None

    scores: ClassVar[bool] = False
    """Whether its results depend on true masks."""
    long: ClassVar[bool] = True
    """Whether its work is long: it is never replaced without being asked."""
    loaders: ClassVar[Sequence[str]] = ()
    """Whose data it builds a network for, 'train', 'val', 'test'."""

    @abstractmethod
    def work(self, cfg: Config, folder: str, given: Given) -> dict:
        """Do it.

        Args:
            cfg (Config): A copy of the config, adapted.
            folder (str): Where everything is written.
            given (dict[str, dict]): By what it takes: the results of the
                stage that made it, and its ``folder``.

        Returns:
            dict: Results, of what JSON can hold.
        """

    def check(self) -> None:
        """Raise for what cannot work, before any stage does."""
        if self.loaders:
            check_class_counts(self.config, loaders=self.loaders)

    def whole(self, results: dict, folder: str) -> bool:
        """Whether what was made is still in the folder, and not damaged.

        What it lacks is said in a line.
        """
        return True

    def located(self, results: dict, folder: str) -> dict:
        """Results with the paths of files as they are now."""
        return results

    def settings(self, work_dir: str) -> Dict[str, Any]:
        """Everything that its results depend on, but its inputs."""
        own = {key: value for key, value in vars(self).items()
               if key not in ('name', 'config', 'inputs', 'adapt')
               and value is not None}
        return dict(result_settings(self.config, work_dir, self.scores),
                    **own, stage=type(self).__name__)


@dataclass
class Train(Stage):
    """Trains; its result is the ``checkpoint``.

    Attributes:
        amp (bool): Mixed precision.
    """
    amp: bool = False
    loaders = ('train', 'val')

    def work(self, cfg: Config, folder: str, given: Given) -> dict:
        cfg.work_dir = folder
        # The weights to begin with are for the beginning alone.
        if newest_checkpoint(folder) is not None:
            cfg.load_from = None
        anew = cfg.get('load_from') is not None
        # What is then in the folder cannot be gone on with.
        train(cfg, resume=not anew, amp=self.amp, overwrite=anew)
        return dict(checkpoint=osp.basename(best_checkpoint(folder)))

    def whole(self, results: dict, folder: str) -> bool:
        name = results.get('checkpoint')
        return isinstance(name, str) and has_whole_weights(
            osp.join(folder, name))

    def located(self, results: dict, folder: str) -> dict:
        return dict(results,
                    checkpoint=osp.join(folder, results['checkpoint']))


@dataclass
class Generate(Stage):
    """Writes maps and masks of a split; its results are the scores.

    It takes a ``checkpoint``, or ``maps`` that go through the refiners of the
    config, or nothing where the localizer needs no training. Where it takes
    another ``background``, whose threshold was found without true masks, it
    finds none of its own.

    Attributes:
        split (str): 'train' or 'val'.
        threshold (float, optional): Background threshold; None for what
            :func:`generate_pseudo_labels` does without one.
    """
    split: str = 'train'
    threshold: Optional[float] = None
    scores = True

    def work(self, cfg: Config, folder: str, given: Given) -> dict:
        maps = None
        if 'maps' in given and 'checkpoint' not in given:
            maps = osp.join(given['maps']['folder'], 'maps')
        # A damaged map would be taken for one that is made.
        for path in lost_files(glob.glob(
                osp.join(glob.escape(folder), 'maps', '*.npz'))):
            os.remove(path)
        other = given.get('background', {})
        return generate_pseudo_labels(
            cfg, given.get('checkpoint', {}).get('checkpoint'), folder,
            self.split, self.threshold, maps=maps,
            found=other['threshold'] if other.get('threshold_rule') == 'auto'
            else None)

    def whole(self, results: dict, folder: str) -> bool:
        return (nothing_lost([osp.join(folder, 'scores.json')])
                and photos_are_whole(folder, 'maps'))


@dataclass
class Test(Stage):
    """Tests a segmentor, a ``checkpoint``, at several scales.

    Attributes:
        crf (bool): Also score its masks after a CRF.
    """
    crf: bool = False
    scores = True
    long = False
    loaders = ('test', )

    def work(self, cfg: Config, folder: str, given: Given) -> dict:
        cfg.work_dir = folder
        return test(cfg, given['checkpoint']['checkpoint'], tta=True,
                    crf=self.crf, out_dir=osp.join(folder, 'predictions'))

    def whole(self, results: dict, folder: str) -> bool:
        return photos_are_whole(folder)


@dataclass
class CheckLabels(Stage):
    """Lists doubtful image-level labels; its results are what was judged.

    It takes nothing, and judges with pre-trained weights; or a ``checkpoint``
    of a localizer whose config names none.

    Attributes:
        split (str): 'train' or 'val'.
        folds (int): See :func:`find_doubtful_labels`.
        seed (int): See :func:`find_doubtful_labels`.
    """
    split: str = 'train'
    folds: int = 5
    seed: int = 0
    long = False

    def work(self, cfg: Config, folder: str, given: Given) -> dict:
        report = find_doubtful_labels(
            cfg, folder, given.get('checkpoint', {}).get('checkpoint'),
            self.split, self.folds, self.seed)
        return dict(report, rows=len(report['rows']))

    def whole(self, results: dict, folder: str) -> bool:
        return nothing_lost([osp.join(folder, REPORT)])


def run_stages(stages: Sequence[Stage], work_dir: str,
               overwrite: bool = False) -> Dict[str, dict]:
    """The results of all stages by name, see :func:`each_stage`."""
    return {stage.name: results for stage, results in
            each_stage(stages, work_dir, overwrite)}


def each_stage(stages: Sequence[Stage], work_dir: str,
               overwrite: bool = False) -> Iterator[Tuple[Stage, dict]]:
    """Run the stages that are not finished, in order.

    A stage that is finished, and whose settings and inputs are the same as
    before, is not run again; one that was interrupted goes on. What may not
    be mixed shows before any work.

    Args:
        stages (Sequence[Stage]): Each after those that it takes from.
        work_dir (str): A folder for each of them.
        overwrite (bool): Replace what was made with other settings. Defaults
            to False: stop, and say what differs.

    Yields:
        tuple: Each stage and its results, when it is finished.

    Raises:
        ConfigError: If a folder holds what was made with other settings, or
            files of something else.
    """
    records = check_stages(stages, work_dir, overwrite)
    results: Dict[str, dict] = {}
    for stage in stages:
        record = records[stage.name]
        given = {what: dict(results[name], folder=records[name].folder,
                            key=records[name].key)
                 for what, name in stage.inputs.items()}
        results[stage.name] = stage.located(record.run(given), record.folder)
        yield stage, results[stage.name]


def check_stages(stages: Sequence[Stage], work_dir: str,
                 overwrite: bool = False) -> Dict[str, '_Record']:
    """Raise for what cannot work or may not be mixed, before any work.

    Arguments and errors as :func:`each_stage`'s.

    Returns:
        dict[str, _Record]: Each stage's folder.
    """
    by_name = {stage.name: stage for stage in stages}
    for stage in stages:
        stage.check()
        for what, name in stage.inputs.items():
            _check_classes(stage, what, by_name[name])
    records = {stage.name: _Record(stage, work_dir) for stage in stages}
    for stage in stages:
        records[stage.name].key = _key(stage, records)
    for record in records.values():
        record.check(records, overwrite)
    return records


def _check_classes(stage: Stage, what: str, source: Stage) -> None:
    """Raise if a stage has other classes than what it takes."""
    own, given = config_classes(stage.config), config_classes(source.config)
    if own and given and own != given:
        raise ConfigError(
            f'{stage.config.filename}: its classes ({", ".join(own)}) are not '
            f'those of {source.config.filename} ({", ".join(given)}), whose '
            f'{what} it takes; give both the same classes, in one order')


class _Record:
    """A stage's folder, and the note in it of what it was made with."""

    def __init__(self, stage: Stage, work_dir: str) -> None:
        self.stage = stage
        self.folder = osp.join(work_dir, stage.name)
        self.path = osp.join(self.folder, RECORD)
        self.settings = stage.settings(work_dir)
        self.key = ''
        self.replaced = False
        self.stored = self._read()

    def _read(self) -> dict:
        """The note; none where the folder is new or the note is damaged.

        In the latter case what is in the folder stays, and the work goes on
        with it: a training from its checkpoints, maps by their manifest.
        """
        if osp.isfile(self.path):
            try:
                return _checked(read_json(self.path))
            except DataError as error:
                print_log(
                    f'{self.path}: damaged ({error}), counts as absent; what '
                    'is in the folder stays and is gone on with', 'current',
                    logging.WARNING)
        elif osp.isdir(self.folder) and any(
                not (name.startswith(RECORD) and name.endswith('.tmp'))
                for name in os.listdir(self.folder)):
            raise ConfigError(f'{self.folder}: holds files of something else; '
                              'give another --work-dir')
        return {}

    def _write(self, record: dict) -> None:
        write_json(self.path, dict(record, digest=_digest(record)))

    def check(self, records: Dict[str, '_Record'], overwrite: bool) -> None:
        """Raise if the folder was made with something else."""
        if not self.stored or self.stored.get('key') == self.key:
            return
        lines = differences(self.stored.get('settings', {}), self.settings)
        inputs = self.stored.get('inputs', {})
        lines += [f'its {what}, made by {name}' for what, name in
                  self.stage.inputs.items()
                  if inputs.get(what) != records[name].key]
        shown = _shown(lines)
        if not overwrite and self.stage.long:
            raise ConfigError(
                f'{self.folder} was made with other settings: {shown}. Give '
                'another --work-dir, or replace it with --overwrite')
        print_log(f'[{self.stage.name}] is done again: {shown}', 'current')
        self.stored, self.replaced = {}, True

    def run(self, given: Given) -> dict:
        """The stage's results, stored or new."""
        stage, results = self.stage, self.stored.get('results')
        if results is not None and stage.whole(results, self.folder):
            print_log(f'[{stage.name}] finished before, re-used: '
                      f'{self.folder}', 'current')
            return results
        if results is not None:
            print_log(f'[{stage.name}] was finished; what is missing or '
                      f'damaged is made again: {self.folder}', 'current',
                      logging.WARNING)
        if self.replaced:
            shutil.rmtree(self.folder, ignore_errors=True)
        print_log(f'[{stage.name}] -> {self.folder}', 'current')
        note_stage(stage.name)
        record = dict(
            key=self.key, settings=self.settings, results=None,
            inputs={what: one['key'] for what, one in given.items()})
        self._write(record)
        cfg = copy.deepcopy(stage.config)
        if stage.adapt is not None:
            stage.adapt(cfg, given)
        begun = time.monotonic()
        before, results = results, stage.work(cfg, self.folder, given)
        if stage.long and before not in (None, results):
            print_log(
                f'[{stage.name}] came out otherwise than before: '
                f'{_shown(differences(before, results))}. What other stages '
                'made of it stays; remove their folders to make it anew',
                'current', logging.WARNING)
        self._write(dict(
            record, results=results, environment=environment(),
            # Of an interrupted stage, those since it was gone on with.
            seconds=round(time.monotonic() - begun, 1)))
        return results


def _checked(record: Any) -> dict:
    """A stage's note, of the right shape and as it was written.

    Raises:
        DataError: If it is something else.
    """
    if not isinstance(record, dict):
        raise DataError(f'a {type(record).__name__} instead of an object')
    record = {'settings': {}, 'inputs': {}, 'results': None, **record}
    for name, kinds in dict(key=(str, ), settings=(dict, ), inputs=(dict, ),
                            results=(dict, type(None))).items():
        if not isinstance(record.get(name), kinds):
            raise DataError(f'its {name} is a '
                            f'{type(record.get(name)).__name__}')
    digest = record.pop('digest', None)
    if digest not in (None, _digest(record)):
        raise DataError('changed since it was written')
    return record


def _digest(content: Any) -> str:
    return hashlib.sha256(
        json.dumps(content, sort_keys=True).encode()).hexdigest()


def _key(stage: Stage, records: Dict[str, _Record]) -> str:
    """A digest of a stage's settings and of all that it builds on."""
    content = [records[stage.name].settings,
               {what: records[name].key
                for what, name in stage.inputs.items()}]
    return _digest(content)


def _shown(lines: Sequence[str]) -> str:
    """The first lines in one, and how many more there are."""
    more = len(lines) - _SHOWN
    return '; '.join([*lines[:_SHOWN], *([f'and {more} more'] if more > 0
                                         else [])])


def differences(before: Dict[str, Any], now: Dict[str, Any]) -> List[str]:
    """What differs between two groups of settings, by name.

    Args:
        before (dict): Option -> value.
        now (dict): Option -> value.

    Returns:
        list[str]: ``optim_wrapper.optimizer.lr: 0.0001 -> 0.0002``, a line
        each.

    Example:
        >>> differences(dict(lr=1, wd=0), dict(lr=2, wd=0))
        ['lr: 1 -> 2']
    """
    nothing = object()
    lines = []
    for name in [*before, *(name for name in now if name not in before)]:
        values = [group.get(name, nothing) for group in (before, now)]
        if values[0] == values[1]:
            continue
        if name.split('.')[-1] == 'data' and nothing not in values:
            lines.append(f'{name}: other list, labels, photos or masks')
        else:
            texts = ['not there' if value is nothing else repr(value)
                     for value in values]
            lines.append(f'{name}: {texts[0]} -> {texts[1]}')
    return lines
