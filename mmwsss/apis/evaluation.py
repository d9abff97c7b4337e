"""Scores of masks or maps that lie in a folder, whoever wrote them."""
import glob
import os.path as osp
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from mmwsss.datasets.class_prompts import get_class_prompts
from mmwsss.evaluation import MaskIoU
from mmwsss.files.atomic import require_writable
from mmwsss.files.json_files import write_json
from mmwsss.files.masks import read_mask
from mmwsss.problems import DataError

from .scoring import ScoredFile, Scoring, map_scoring


def evaluate_pseudo_labels(folder: str,
                           gt_dir: str,
                           classes: Union[str, Sequence[str]],
                           score_classes: Union[str, List[str]] = 'all',
                           out_dir: Optional[str] = None,
                           pxap: bool = False,
                           scorers: Sequence[dict] = ()) -> dict:
    """Score a folder of masks (``.png``) or maps (``.npz``, ``.npy``).

    Maps are scored at the background thresholds 0, 0.01, ..., 0.99, all from
    one pass. Pixels that a mask leaves as 255 are left out; their share is
    reported as ``ignored``.

    Args:
        folder (str): Files named after the images.
        gt_dir (str): Masks of the same names; an image without one is left
            out.
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
    options: Dict[str, Any] = dict(classes=('background', *classes),
                                   score_classes=score_classes)
    if pxap:
        scorers = [*scorers, dict(type='PixelLocalization')]
    kind, files = _find_files(folder, gt_dir)
    if kind == '.png':
        if scorers:
            raise DataError(f'{folder}: holds masks; {scorers[-1]["type"]} is '
                            'a score of maps (.npz or .npy)')
        scoring = Scoring([MaskIoU(**options)], read_mask,
                          lambda mask: mask.shape, 'evaluation')
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


def _find_files(folder: str, gt_dir: str) -> Tuple[str, List[ScoredFile]]:
    """The kind of files in a folder, and those that have a mask."""
    for path in (folder, gt_dir):
        if not osp.isdir(path):
            raise DataError(f'{path}: no such folder')
    for kind in ('.npz', '.npy', '.png'):
        paths = sorted(glob.glob(osp.join(glob.escape(folder), '*' + kind)))
        if paths:
            break
    else:
        raise DataError(f'{folder}: holds no .npz or .npy maps and no .png '
                        'masks')
    files: List[ScoredFile] = []
    for path in paths:
        stem = osp.splitext(osp.basename(path))[0]
        truth = osp.join(gt_dir, stem + '.png')
        if osp.isfile(truth):
            files.append(ScoredFile(path, truth, len(files)))
    if not files:
        raise DataError(f'{gt_dir}: holds no mask for any of the '
                        f'{len(paths)} files in {folder}, e.g. no '
                        f'{osp.basename(truth)}')
    return kind, files
