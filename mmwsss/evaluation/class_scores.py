"""Scores by class as a report and as a table."""
from typing import Any, Dict, List, Sequence

from mmengine.logging import print_log
from torch import Tensor

from mmwsss.visualization import class_table

from .base_scorer import rounded

RATES = ('IoU', 'precision', 'recall', 'false_positive_rate',
         'false_negative_rate')


def class_scores(result: Any, row: int, classes: Sequence[str],
                 chosen: Sequence[int]) -> Dict[str, Any]:
    """``mIoU``, and by class IoU and rates, in per cent.

    Args:
        result (SweepResult): Scores by threshold.
        row (int): Which threshold.
        classes (Sequence[str]): Names of all classes.
        chosen (Sequence[int]): Which of them are reported.

    Returns:
        dict: ``mIoU`` and, for each of ``RATES``, class -> score; None for a
        class that occurs nowhere.
    """
    report: Dict[str, Any] = dict(
        mIoU=rounded(100 * result.mean_iou(list(chosen))[row]))
    for name in RATES:
        values: Tensor = getattr(result, name.lower())[row]  # (C + 1, )
        report[name] = {
            classes[i]: rounded(100 * values[i]) for i in chosen}
    return report


def print_class_scores(report: Dict[str, Any], title: str) -> None:
    """The table of what :func:`class_scores` reports.

    Args:
        report (dict): With ``RATES``.
        title (str): Stands above the table.
    """
    names: List[str] = list(report['IoU'])
    columns = {
        rate.replace('_', ' '): [
            float('nan') if value is None else value
            for value in report[rate].values()]
        for rate in RATES}
    print_log('\n' + class_table(names, columns, title), 'current')
