"""Scores of masks or maps that lie in a folder, whoever wrote them."""
import glob
import json
import os.path as osp
from functools import partial
from typing import Callable, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor

from mmwsss.evaluation.multilabel_map import class_indices
from mmwsss.evaluation.pixel_localization import localization_histogram
from mmwsss.files.atomic import require_writable, write_atomically
from mmwsss.files.maps import read_any_map
from mmwsss.files.masks import read_mask
from mmwsss.ops import (
    SweepResult,
    pixel_scores,
    pixel_thresholds,
    sweep_histogram,
    threshold_sweep,
)
from mmwsss.parallel.progress import in_threads
from mmwsss.problems import DataError, Problems
from mmwsss.visualization import class_table, draw_threshold_curve

THRESHOLDS = torch.arange(100) / 100  # supplement A of MMCT


def evaluate_pseudo_labels(folder: str,
                           gt_dir: str,
                           classes: Sequence[str],
                           score_classes: Union[str, List[str]] = 'all',
                           out_dir: Optional[str] = None,
                           pxap: bool = False) -> dict:
    """Score a folder of masks (``.png``) or maps (``.npz``, ``.npy``).

    Maps are scored at the background thresholds 0, 0.01, ..., 0.99, all from
    one pass. Pixels that a mask leaves as 255 are left out; their share is
    reported as ``ignored``.

    Args:
        folder (str): Files named after the images.
        gt_dir (str): Masks of the same names; an image without one is left
            out.
        classes (Sequence[str]): Foreground classes, in order.
        score_classes (str | list[str]): Classes of the mean, or 'all'.
        out_dir (str, optional): Where ``evaluation.json`` and, for maps,
            ``threshold_curve.png`` are written. Defaults to None: nowhere.
        pxap (bool): Also score maps as Choe et al. (CVPR 2020) do, see
            :func:`mmwsss.evaluation.localization_histogram`: ``PxAP``,
            ``pIoU`` and the ``pIoU_threshold``. Defaults to False.

    Returns:
        dict: Scores in per cent: ``mIoU`` and by class ``IoU``,
        ``precision``, ``recall``, ``false_positive_rate`` and
        ``false_negative_rate`` (shares of the union); for maps also
        ``best_threshold`` and ``mIoU_curve``.

    Raises:
        DataError: If there is nothing to score, or files are wrong; all that
            are wrong are named together.
    """
    names = ('background', *classes)
    chosen = class_indices(score_classes, names)
    if out_dir is not None:
        require_writable(out_dir)
    kind, pairs = _find_files(folder, gt_dir)
    if kind == '.png' and pxap:
        raise DataError(f'{folder}: holds masks; PxAP is a score of maps '
                        '(.npz or .npy)')
    count = (_count_mask if kind == '.png' else
             partial(_count_map, pxap=pxap))
    histogram, extra = _sum_up(pairs, count, len(classes))
    report: Dict[str, object] = dict(images=len(pairs))
    if kind == '.png':
        result = _from_confusion(histogram)
        row, title = 0, f'{len(pairs)} masks'
        report['ignored'] = round(100 * extra / max(
            1, extra + int(histogram.sum())), 4)
    else:
        result = threshold_sweep(histogram, THRESHOLDS)
        curve = 100 * result.mean_iou(chosen)
        row = int(curve.argmax())
        title = f'{len(pairs)} maps, best background threshold {row / 100}'
        report.update(
            best_threshold=row / 100,
            mIoU_curve={f'{i / 100:g}': round(float(v), 4)
                        for i, v in enumerate(curve)})
        if pxap:
            report.update(_localization_scores(extra, gt_dir))
        if out_dir is not None:
            draw_threshold_curve(
                osp.join(out_dir, 'threshold_curve.png'), THRESHOLDS.tolist(),
                {f'mIoU over {len(chosen)} classes': curve.tolist()},
                row / 100)
    columns = {
        name: (100 * getattr(result, name.lower().replace(' ', '_'))
               [row, chosen]).tolist()
        for name in ('IoU', 'precision', 'recall', 'false positive rate',
                     'false negative rate')
    }
    report['mIoU'] = round(float(100 * result.mean_iou(chosen)[row]), 4)
    for name, values in columns.items():
        report[name.replace(' ', '_')] = {
            names[i]: None if v != v else round(v, 4)
            for i, v in zip(chosen, values)}
    print_log('\n' + class_table([names[i] for i in chosen], columns, title),
              'current')
    if out_dir is not None:
        write_atomically(osp.join(out_dir, 'evaluation.json'),
                         json.dumps(report, indent=1).encode())
    return report


def _find_files(folder: str, gt_dir: str
                ) -> Tuple[str, List[Tuple[str, str]]]:
    """The kind of files in a folder, and those that have a mask."""
    for path in (folder, gt_dir):
        if not osp.isdir(path):
            raise DataError(f'{path}: no such folder')
    for kind in ('.npz', '.npy', '.png'):
        files = sorted(glob.glob(osp.join(glob.escape(folder), '*' + kind)))
        if files:
            break
    else:
        raise DataError(f'{folder}: holds no .npz or .npy maps and no .png '
                        'masks')
    pairs = []
    for path in files:
        stem = osp.splitext(osp.basename(path))[0]
        truth = osp.join(gt_dir, stem + '.png')
        if osp.isfile(truth):
            pairs.append((path, truth))
    if not pairs:
        raise DataError(f'{gt_dir}: holds no mask for any of the '
                        f'{len(files)} files in {folder}, e.g. no '
                        f'{osp.basename(truth)}')
    return kind, pairs


def _sum_up(pairs: List[Tuple[str, str]], count: Callable,
            num_classes: int) -> tuple:
    """Sums over all files of the two things that ``count`` gives."""

    def score(pair: Tuple[str, str]) -> Union[DataError, tuple]:
        try:
            return count(*pair, num_classes)
        except DataError as error:
            return error

    problems = Problems('evaluation')
    total: Union[int, Tensor] = 0
    extra: Union[int, Tensor] = 0
    for outcome in in_threads(score, pairs, 'Scoring'):
        if isinstance(outcome, DataError):
            problems.add(str(outcome))
        else:
            total = total + outcome[0]
            extra = extra + outcome[1]
    problems.raise_if_any()
    return total, extra


def _count_map(path: str, truth_path: str, num_classes: int,
               pxap: bool) -> Tuple[Tensor, Union[int, Tensor]]:
    """Histogram of the background thresholds, and that of PxAP."""
    file = read_any_map(path)
    truth = _read_truth(truth_path, path, file.maps.shape[1:])
    if len(file.labels) and not 0 <= file.labels.min() <= file.labels.max(
            ) < num_classes:
        raise DataError(f'{path}: classes {file.labels.tolist()}, but there '
                        f'are {num_classes}')
    maps = torch.from_numpy(file.maps)
    return sweep_histogram(
        maps, torch.from_numpy(file.labels).long(), truth, THRESHOLDS,
        num_classes), (
            localization_histogram(maps, file.labels.tolist(), truth)
            if pxap else 0)


def _count_mask(path: str, truth_path: str,
                num_classes: int) -> Tuple[Tensor, int]:
    """Confusion matrix (predicted, truth), and pixels predicted as 255."""
    mask = torch.from_numpy(read_mask(path).astype(np.int64))
    truth = _read_truth(truth_path, path, tuple(mask.shape))
    size = num_classes + 1
    wrong = mask[(mask >= size) & (mask != 255)]
    if len(wrong):
        raise DataError(f'{path}: class {int(wrong[0])}, but there are '
                        f'{num_classes}')
    known = truth < size
    ignored = int(((mask == 255) & known).sum())
    valid = known & (mask != 255)
    counts = torch.bincount(mask[valid] * size + truth[valid],
                            minlength=size * size)
    return counts.view(size, size), ignored


def _read_truth(path: str, other: str, size: Tuple[int, int]) -> Tensor:
    truth = read_mask(path)
    if truth.shape != tuple(size):
        raise DataError(f'{other}: {size[0]} x {size[1]}, but the mask {path} '
                        f'is {truth.shape[0]} x {truth.shape[1]}')
    return torch.from_numpy(truth.astype(np.int64))


def _localization_scores(histogram: Tensor, gt_dir: str) -> Dict[str, float]:
    scores = pixel_scores(histogram, pixel_thresholds())
    if not scores.truth:
        raise DataError(f'{gt_dir}: no mask has a pixel of a class that the '
                        'maps are of; PxAP needs one')
    return dict(PxAP=round(100 * scores.average_precision.item(), 4),
                pIoU=round(100 * scores.peak_iou.item(), 4),
                pIoU_threshold=round(scores.peak_threshold.item(), 4))


def _from_confusion(confusion: Tensor) -> SweepResult:
    """Scores of masks: a sweep over a single threshold."""
    return SweepResult(
        torch.zeros(1), confusion.diagonal()[None], confusion.sum(1)[None],
        confusion.sum(0))
