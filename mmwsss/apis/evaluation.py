"""Scores of masks or maps that lie in a folder, whoever wrote them."""
import os
import os.path as osp
from functools import partial
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from mmengine.logging import print_log

from mmwsss.datasets.class_prompts import get_class_prompts
from mmwsss.evaluation import MaskIoU
from mmwsss.files.atomic import require_writable
from mmwsss.files.json_files import write_json
from mmwsss.files.masks import MaskClasses, check_class_count, read_mask
from mmwsss.problems import DataError, Problems, unknown_name
from mmwsss.registry import SCORERS

from .scoring import ScoredFile, Scoring, map_scoring

_SHOWN = 10  # names of files left out that are spelled out


def evaluate_pseudo_labels(folder: str,
                           gt_dir: str,
                           classes: Union[str, Sequence[str]],
                           score_classes: Union[str, List[str]] = 'all',
                           out_dir: Optional[str] = None,
                           pxap: bool = False,
                           scorers: Sequence[dict] = (),
                           allow_missing: bool = False) -> dict:
    """Score a folder of masks (``.png``) or maps (``.npz``, ``.npy``).

    Maps are scored at the background thresholds 0, 0.01, ..., 0.99, all from
    one pass. Pixels that a mask leaves as 255 are left out; their share is
    reported as ``ignored``.

    Args:
        folder (str): Files named after the images.
        gt_dir (str): True masks of the same names.
        classes (str | Sequence[str]): Foreground classes in order, or the
            name or file of a list, see
            :func:`~mmwsss.datasets.class_prompts.get_class_prompts`.
        score_classes (str | list[str]): Classes of the mean, or 'all'.
        out_dir (str, optional): Where ``evaluation.json`` and, for maps,
            ``threshold_curve.png`` are written. Defaults to None: nowhere.
        pxap (bool): Short for the scorer ``PixelLocalization``. Defaults to
            False.
        scorers (Sequence[dict]): Configs of further scorers of maps, see
            :class:`~mmwsss.evaluation.BaseScorer`. Defaults to none.
        allow_missing (bool): Leave out files without a true mask and true
            masks without a file, and say which. Defaults to False: they are
            an error.

    Returns:
        dict: Scores in per cent: ``mIoU`` and by class ``IoU``,
        ``precision``, ``recall``, ``false_positive_rate`` and
        ``false_negative_rate`` (shares of the union); for maps also
        ``best_threshold`` and ``mIoU_curve``.

    Raises:
        DataError: If there is nothing to score, or files are wrong; all that
            are wrong are named together.
    """
    if isinstance(classes, str):
        classes = tuple(get_class_prompts(classes))
    check_class_count(len(classes) + 1, '--classes')
    options: Dict[str, Any] = dict(classes=('background', *classes),
                                   score_classes=score_classes)
    if pxap:
        scorers = [*scorers, dict(type='PixelLocalization')]
    for scorer in scorers:
        if SCORERS.get(scorer['type']) is None:
            raise DataError(unknown_name('scorer', scorer['type'],
                                         SCORERS.module_dict))
    values = MaskClasses(len(classes) + 1)
    kind, files = _find_files(folder, gt_dir, allow_missing)
    if kind == '.png':
        if scorers:
            raise DataError(f'{folder}: holds masks; {scorers[-1]["type"]} is '
                            'a score of maps (.npz or .npy)')
        scoring = Scoring([MaskIoU(**options)],
                          partial(read_mask, classes=values),
                          lambda mask: mask.shape, 'evaluation', values)
    else:
        scoring = map_scoring('evaluation', scorers=scorers, **options)
    if out_dir is not None:
        out_dir = require_writable(out_dir)
    for _ in scoring.run(files):
        pass
    title = f'{len(files)} {"masks" if kind == ".png" else "maps"}'
    try:
        report = dict(images=len(files), **scoring.report(title, out_dir))
    except DataError as error:
        raise DataError(f'{gt_dir}: {error}') from error
    if out_dir is not None:
        write_json(osp.join(out_dir, 'evaluation.json'), report)
    return report


def _find_files(folder: str, gt_dir: str, allow_missing: bool
                ) -> Tuple[str, List[ScoredFile]]:
    """The kind of files in a folder, and those that have a mask."""
    for path in (folder, gt_dir):
        if osp.isfile(path):
            raise DataError(f'{path}: is a file; name its folder')
        if not osp.isdir(path):
            raise DataError(f'{path}: no such folder')
    found = {kind: paths for kind in ('.npz', '.npy', '.png')
             if (paths := _by_name(folder, kind))}
    if not found:
        raise DataError(f'{folder}: holds no .npz or .npy maps and no .png '
                        'masks')
    if len(found) > 1:
        counts = ' and '.join(f'{len(paths)} {kind}'
                              for kind, paths in found.items())
        raise DataError(f'{folder}: holds {counts} files; keep one kind in a '
                        'folder, so that it is clear what is scored')
    [(kind, paths)] = found.items()
    truths = _by_name(gt_dir, '.png')
    common = sorted(paths.keys() & truths.keys())
    if not common:
        raise DataError(f'{gt_dir}: holds no mask for any of the '
                        f'{len(paths)} files in {folder}, e.g. no '
                        f'{max(paths)}.png')
    unpaired = Problems(f'{folder} and {gt_dir} do not match; score part of '
                        'them with --allow-missing')
    for name in sorted(truths.keys() - paths.keys()):
        unpaired.add(f'{truths[name]}: no {kind} file of this name in '
                     f'{folder}')
    for name in sorted(paths.keys() - truths.keys()):
        unpaired.add(f'{paths[name]}: no true mask of this name in {gt_dir}')
    if allow_missing:
        for title, names in (
                (f'true masks have no {kind} file', truths.keys() - common),
                (f'{kind} files have no true mask', paths.keys() - common)):
            if names:
                shown = ', '.join(sorted(names)[:_SHOWN])
                more = ', ...' if len(names) > _SHOWN else ''
                print_log(f'left out: {len(names)} {title}: {shown}{more}',
                          'current')
    else:
        unpaired.raise_if_any()
    return kind, [ScoredFile(paths[name], truths[name], index)
                  for index, name in enumerate(common)]


def _by_name(folder: str, kind: str) -> Dict[str, str]:
    """Name without extension -> path, of the files of a kind."""
    return {osp.splitext(name)[0]: osp.join(folder, name)
            for name in sorted(os.listdir(folder))
            if name.lower().endswith(kind) and not name.startswith('.')}
