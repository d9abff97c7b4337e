"""From image-level labels to a tested segmentor, in one call."""
import copy
import hashlib
import json
import os
import os.path as osp
import shutil
from contextlib import contextmanager
from functools import partial
from typing import Callable, Dict, Iterator, Optional

from mmengine.config import Config
from mmengine.logging import print_log
from prettytable import PrettyTable

from mmwsss.files.atomic import require_writable, write_atomically
from mmwsss.problems import ConfigError

from .config import fitting_options, load_config, replace_everywhere
from .generation import generate_pseudo_labels
from .testing import check_test, test
from .training import best_checkpoint, train

CRF = dict(type='DenseCRF', unary='labels', bilateral_sxy=50,
           bilateral_srgb=5)
"""The field's CRF on seeds; its background is the seeds' best threshold."""
_SURE = dict(foreground=0.07, background=-0.13)
"""Where confident labels begin, from the best threshold on."""


def run_pipeline(localizer: str,
                 segmentor: Optional[str],
                 work_dir: str,
                 cfg_options: Optional[dict] = None,
                 affinity: Optional[str] = None,
                 crf: bool = False,
                 amp: bool = False) -> Dict[str, dict]:
    """Train a localizer, write pseudo masks, train and test a segmentor.

    Each stage has a folder under ``work_dir``. A stage that is finished and
    whose config and inputs have not changed is not run again; an interrupted
    training goes on from its last checkpoint. A localizer that segments by
    itself, such as ToCo, is also tested as a segmentor.

    Args:
        localizer (str): Config file of the localizer.
        segmentor (str, optional): Config file of the segmentor; None stops
            after the masks.
        work_dir (str): Where everything is written.
        cfg_options (dict, optional): Options such as ``data_root``; each
            config gets those that it has, one that none has is an error.
        affinity (str, optional): Config file of an affinity network, such as
            IRN; it learns from the maps and refines them, and the segmentor
            gets its masks. Thresholds of its confident labels, and a
            constant background of its walk, follow the best threshold of the
            maps.
        crf (bool): Also score the maps refined by the field's CRF, and the
            segmentor's masks after one.
        amp (bool): Mixed precision in training.

    Returns:
        dict: Stage name -> its scores.
    """
    require_writable(work_dir)
    folder = partial(osp.join, work_dir)
    configs = [path for path in (localizer, affinity, segmentor) if path]
    options = dict(zip(configs, fitting_options(configs, cfg_options or {})))
    loc = load_config(localizer, options[localizer], folder('localizer'))
    seg = None
    if segmentor:
        masks = folder('affinity_train' if affinity else 'pseudo_train',
                       'masks')
        seg = load_config(segmentor, dict(options[segmentor],
                                          pseudo_masks=masks),
                          folder('segmentor'))
        check_test(seg, tta=True, crf=crf)
    single_stage = 'tta_model' in loc
    if single_stage:
        check_test(loc, tta=True, crf=crf)
    aff = {split: load_config(affinity, dict(
        options[affinity], maps=folder(f'pseudo_{split}', 'maps')),
        folder('affinity')) for split in ('train', 'val')} if affinity else {}
    for cfg in aff.values():
        if 'label_cache' in cfg:
            replace_everywhere(cfg, cfg.label_cache, folder('sure_labels'))
    stages = _Stages(f'amp={amp}')

    def train_stage(name: str, cfg: Config) -> str:
        def work() -> dict:
            train(cfg, resume=True, amp=amp)
            return dict(checkpoint=best_checkpoint(cfg.work_dir))
        return stages.run(name, folder(name), cfg, work)['checkpoint']

    def map_stage(name: str, cfg: Config, checkpoint: Optional[str],
                  split: str, maps: Optional[str] = None) -> None:
        stages.run(name, folder(name), cfg, partial(
            generate_pseudo_labels, cfg, checkpoint, folder(name), split,
            maps=maps))

    def test_stage(name: str, cfg: Config, checkpoint: str) -> None:
        cfg = copy.deepcopy(cfg)
        cfg.work_dir = folder(name)
        if not crf:
            cfg.test_crf = None  # a part of the stage's key
        stages.run(name, folder(name), cfg, partial(
            test, cfg, checkpoint, tta=True, crf=crf,
            out_dir=folder(name, 'predictions')))

    checkpoint = train_stage('localizer', loc)
    if single_stage:
        with stages.aside():
            test_stage('decoder', loc, checkpoint)
    for split in ('train', 'val'):
        map_stage(f'pseudo_{split}', loc, checkpoint, split)
    best = stages.results['pseudo_train'].get('best_threshold')
    if crf:
        refined = copy.deepcopy(loc)
        refined.refiners = [dict(CRF, background=best or 0.4)]
        # No later stage reads these maps: their keys do not depend on them.
        with stages.aside():
            for split in ('train', 'val'):
                map_stage(f'crf_{split}', refined, None, split,
                          folder(f'pseudo_{split}', 'maps'))
    if affinity:
        for cfg in aff.values():
            if best is not None:
                _move_thresholds(cfg, best)
        checkpoint = train_stage('affinity', aff['train'])
        for split, cfg in aff.items():
            map_stage(f'affinity_{split}', cfg, checkpoint, split)
    if seg is not None:
        test_stage('test', seg, train_stage('segmentor', seg))
    print_log('\n' + _summary(stages.results), 'current')
    for name in stages.results:
        path = folder(name, 'overlays.png')
        if osp.isfile(path):
            print_log(f'overlays: {path}', 'current')
    return stages.results


def _move_thresholds(cfg: Config, best: float) -> None:
    """Thresholds of an affinity network around that of the maps, in place."""
    for step in cfg.train_dataloader.dataset.pipeline:
        if step['type'] == 'ConfidentLabels':
            for part, distance in _SURE.items():
                step[part].background = min(max(best + distance, 0.02), 0.98)
    if cfg.model.test_cfg.get('background') is not None:
        cfg.model.test_cfg.background = best


class _Stages:
    """Runs stages in order; skips those that are up to date.

    A stage's key covers its config and the keys of all stages before it, the
    first of which is given.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        self.results: Dict[str, dict] = {}

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Stages inside have no say in the keys of later ones."""
        key = self.key
        yield
        self.key = key

    def run(self, name: str, folder: str, cfg: Config,
            work: Callable[[], dict]) -> dict:
        """Results of a stage, from its folder or from ``work``.

        Raises:
            ConfigError: If the folder holds files of something else.
        """
        content = [self.key, name, cfg.pretty_text]
        self.key = hashlib.sha256(repr(content).encode()).hexdigest()
        path = osp.join(folder, 'stage.json')
        stored = {}
        if osp.isfile(path):
            with open(path) as file:
                stored = json.load(file)
        elif osp.isdir(folder) and os.listdir(folder):
            raise ConfigError(f'{folder}: holds files of something else; give '
                              'another --work-dir')
        if stored.get('key') != self.key:
            # What lies here comes from other settings: not to be resumed.
            shutil.rmtree(folder, ignore_errors=True)
        results = stored.get('results')
        if stored.get('key') == self.key and results is not None:
            print_log(f'[{name}] finished before, re-used: {folder}',
                      'current')
        else:
            print_log(f'[{name}] -> {folder}', 'current')
            _write_json(path, dict(key=self.key, results=None))
            results = work()
            _write_json(path, dict(key=self.key, results=results))
        self.results[name] = results
        return results


def _write_json(path: str, content: dict) -> None:
    write_atomically(path, json.dumps(content, indent=1).encode())


def _summary(results: Dict[str, dict]) -> str:
    """The score table of a finished pipeline."""
    table = PrettyTable(['stage', 'split', 'score', '%'], align='l')
    titles = dict(pseudo='pseudo masks', crf='after CRF',
                  affinity='after learned affinity')
    for stage, title in titles.items():
        for split in ('train', 'val'):
            scores = results.get(f'{stage}_{split}', {})
            if stage == 'pseudo' and 'mAP' in scores:
                table.add_row(['localizer', split, 'mAP',
                               f'{scores["mAP"]:.1f}'])
            if 'mIoU' in scores:
                table.add_row([title, split,
                               f'mIoU at threshold {scores["threshold"]:.2f}',
                               f'{scores["mIoU"]:.1f}'])
    for stage, title in dict(decoder='own decoder', test='segmentor').items():
        for name, value in results.get(stage, {}).items():
            if name.removeprefix('crf/').startswith('mIoU'):
                table.add_row([f'{title}, several scales', 'val', name,
                               f'{value:.1f}'])
    return table.get_string()
