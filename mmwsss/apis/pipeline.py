"""From image-level labels to a tested segmentor, in one call."""
import copy
import os.path as osp
from functools import partial
from typing import Dict, List, Optional

import numpy as np
from mmengine.config import Config
from mmengine.logging import print_log
from prettytable import PrettyTable

from mmwsss.files.atomic import require_writable
from mmwsss.files.unfinished import remove_unfinished

from .config import fitting_options, load_config, replace_everywhere
from .generation import has_split
from .named_stages import named_stages
from .report import write_report
from .stages import (
    CheckLabels,
    Generate,
    Given,
    Stage,
    Test,
    Train,
    run_stages,
)
from .testing import check_test
from .untrained import needs_no_training

CRF = dict(type='DenseCRF', unary='labels', bilateral_sxy=50,
           bilateral_srgb=5)
"""The field's CRF on seeds; its background is the seeds' threshold."""
_SURE = dict(foreground=0.07, background=-0.13)
"""Where confident labels begin, from the seeds' threshold on."""


def run_pipeline(localizer: str,
                 segmentor: Optional[str],
                 work_dir: str,
                 cfg_options: Optional[dict] = None,
                 affinity: Optional[str] = None,
                 crf: bool = False,
                 amp: bool = False,
                 overwrite: bool = False,
                 threshold: Optional[float] = None,
                 check_labels: bool = False) -> Dict[str, dict]:
    """Train a localizer, write pseudo masks, train and test a segmentor.

    Each stage has a folder under ``work_dir``. A stage that is finished and
    whose settings and inputs have not changed is not run again; an
    interrupted training goes on from its last checkpoint. A localizer that
    segments by itself, such as ToCo, is also tested as a segmentor. At the
    end ``report.html`` is written, see :func:`write_report`.

    Args:
        localizer (str): Config file of the localizer, or of a pipeline that
            lists its ``stages``, see :func:`named_stages`; then the other
            configs and ``crf`` have no say.
        segmentor (str, optional): Config file of the segmentor; None stops
            after the masks.
        work_dir (str): Where everything is written.
        cfg_options (dict, optional): Options such as ``data_root``; each
            config gets those that it has, one that none has is an error.
        affinity (str, optional): Config file of an affinity network, such as
            IRN; it learns from the maps and refines them, and the segmentor
            gets its masks. Thresholds of its confident labels, and a
            constant background of its walk, follow the threshold of the
            maps.
        crf (bool): Also score the maps refined by the field's CRF, and the
            segmentor's masks after one.
        amp (bool): Mixed precision in training.
        overwrite (bool): Replace stages that were made with other settings;
            without it they stop the run before any work.
        threshold (float, optional): Background threshold of all masks.
            Defaults to None: the best on the photos that have true masks,
            else the automatic one.
        check_labels (bool): Also list the photos whose labels are doubtful.

    Returns:
        dict: Stage name -> its results.

    Raises:
        ConfigError: If a config lacks what a stage needs, or a folder was
            made with other settings.
    """
    work_dir = require_writable(work_dir)
    remove_unfinished(work_dir)
    stages = path_stages(localizer, segmentor, work_dir, cfg_options,
                         affinity, crf, amp, threshold, check_labels)
    results = run_stages(stages, work_dir, overwrite)
    print_log('\n' + _summary(results), 'current')
    for line in _ending(results, work_dir):
        print_log(line, 'current')
    return results


def _ending(results: Dict[str, dict], work_dir: str) -> List[str]:
    """What was made, how good it is and where to look, a line each."""
    made = [f'{scores["images"]} in {osp.join(work_dir, name, "masks")}'
            for name, scores in results.items() if 'images' in scores]
    good = [f'{name} {scores["mIoU"]:.1f} %' for name, scores
            in results.items() if isinstance(scores.get('mIoU'), float)
            and scores['mIoU'] == scores['mIoU']]
    return [f'masks: {", ".join(made) or "none"}',
            f'mIoU: {", ".join(good) or "unknown, no true masks"}',
            f'report: {write_report(work_dir)}']


def path_stages(localizer: str,
                segmentor: Optional[str],
                work_dir: str,
                cfg_options: Optional[dict] = None,
                affinity: Optional[str] = None,
                crf: bool = False,
                amp: bool = False,
                threshold: Optional[float] = None,
                check_labels: bool = False) -> List[Stage]:
    """The stages of the whole path; arguments as :func:`run_pipeline`'s."""
    pipeline = load_config(localizer)
    if 'stages' in pipeline:
        return named_stages(pipeline, localizer, work_dir, cfg_options)
    folder = partial(osp.join, work_dir)
    paths = [path for path in (localizer, affinity, segmentor) if path]
    options = dict(zip(paths, fitting_options(paths, cfg_options or {})))
    loc = load_config(localizer, options[localizer])
    weights = {} if needs_no_training(loc) else dict(checkpoint='localizer')
    stages: List[Stage] = [Train('localizer', loc, amp=amp)] * bool(weights)
    if 'tta_model' in loc:  # it segments by itself
        stages.append(_test('decoder', loc, 'localizer', crf))
    splits = [split for split in ('train', 'val') if has_split(loc, split)]
    stages += [Generate(f'pseudo_{split}', loc, dict(
        **weights, **_one_background('pseudo', split)),
        split=split, threshold=threshold) for split in splits]
    if check_labels:
        knows = loc.model.backbone.get('pretrained') is not None
        stages.append(CheckLabels('doubtful_labels', loc,
                                  {} if knows else dict(weights)))
    seeds = masks = 'pseudo_train'
    if crf:
        refined = copy.deepcopy(loc)
        refined.refiners = [CRF]
        stages += [Generate(
            f'crf_{split}', refined,
            dict(maps=f'pseudo_{split}', threshold=seeds,
                 **_one_background('crf', split)), _move_background,
            split=split, threshold=threshold) for split in splits]
    if affinity:
        masks = 'affinity_train'
        learned = {split: load_config(affinity, dict(
            options[affinity], maps=folder(f'pseudo_{split}', 'maps')))
            for split in splits}
        for cfg in learned.values():
            if 'label_cache' in cfg:
                replace_everywhere(cfg, cfg.label_cache,
                                   folder('sure_labels'))
        stages.append(Train('affinity', learned['train'],
                            dict(threshold=seeds), _move_thresholds, amp=amp))
        stages += [Generate(
            f'affinity_{split}', cfg,
            dict(checkpoint='affinity', threshold=seeds,
                 maps=f'pseudo_{split}',
                 **_one_background('affinity', split)), _move_thresholds,
            split=split, threshold=threshold)
            for split, cfg in learned.items()]
    if segmentor:
        seg = load_config(segmentor, dict(
            options[segmentor], pseudo_masks=folder(masks, 'masks')))
        stages += [Train('segmentor', seg, dict(masks=masks), amp=amp),
                   _test('test', seg, 'segmentor', crf)]
    return stages


def _one_background(kind: str, split: str) -> Dict[str, str]:
    """The automatic threshold of all splits is that of the training photos."""
    return {} if split == 'train' else dict(background=f'{kind}_train')


def _test(name: str, cfg: Config, network: str, crf: bool) -> Stage:
    """The test of a network; what it needs is checked before any work."""
    check_test(cfg, tta=True, crf=crf)
    if not crf:
        cfg = copy.deepcopy(cfg)
        cfg.test_crf = None  # then it has no say in the results
    return Test(name, cfg, dict(checkpoint=network), crf=crf)


def _move_background(cfg: Config, given: Given) -> None:
    """The CRF's background is the threshold of the maps, if it can be."""
    cfg.refiners[0].background = _threshold(given) or 0.4


def _move_thresholds(cfg: Config, given: Given) -> None:
    """Thresholds of an affinity network around that of the maps."""
    middle = _threshold(given)
    for step in cfg.train_dataloader.dataset.pipeline:
        if step['type'] == 'ConfidentLabels':
            for part, distance in _SURE.items():
                step[part].background = min(max(middle + distance, 0.02), 0.98)
    if cfg.model.test_cfg.get('background') is not None:
        cfg.model.test_cfg.background = middle


def _threshold(given: Given) -> float:
    """The threshold that the masks of the maps have; of two, the middle."""
    return float(np.mean(given['threshold']['threshold']))


def _summary(results: Dict[str, dict]) -> str:
    """The score table of a finished pipeline."""
    table = PrettyTable(['stage', 'split', 'score', '%'], align='l')
    titles = dict(pseudo='pseudo masks', crf='after CRF',
                  affinity='after learned affinity')
    for stage, title in titles.items():
        for split in ('train', 'val'):
            scores = results.get(f'{stage}_{split}', {})
            if stage == 'pseudo' and scores.get('mAP') is not None:
                table.add_row(['localizer', split, 'mAP',
                               f'{scores["mAP"]:.1f}'])
            if scores.get('mIoU') is not None:
                table.add_row([title, split,
                               f'mIoU at threshold {scores["threshold"]:.2f}',
                               f'{scores["mIoU"]:.1f}'])
            elif scores.get('threshold') is not None:
                table.add_row([title, split, 'no masks to score, threshold '
                               f'{scores["threshold"]:.2f} (auto)', '–'])
    for stage, title in dict(decoder='own decoder', test='segmentor').items():
        for name, value in results.get(stage, {}).items():
            if name.removeprefix('crf/').startswith('mIoU'):
                table.add_row([f'{title}, several scales', 'val', name,
                               '–' if value is None or value != value else
                               f'{value:.1f}'])
    return table.get_string()
