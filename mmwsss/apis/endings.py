"""How a tool's work ends: how good it is, and where to look."""
import os.path as osp
from typing import Any, Dict, List

from mmengine.dist import is_main_process
from mmengine.runner import Runner

from mmwsss.files.run_folder import LAST


def training_ending(runner: Runner) -> List[str]:
    """The checkpoint to go on with, its score, and where losses are.

    Args:
        runner (Runner): After training.

    Returns:
        list[str]: Lines; none in all processes but the first.
    """
    if not is_main_process():
        return []
    known = runner.message_hub.runtime_info
    line = f'no checkpoint in {runner.work_dir}: the config saves none'
    if known.get('best_ckpt'):
        line = f'best checkpoint: {known["best_ckpt"]}'
        if isinstance(known.get('best_score'), float):
            line += f' ({known["best_score"]:.1f} in validation)'
    elif osp.isfile(osp.join(runner.work_dir, LAST)):
        line = (f'last checkpoint, named by {osp.join(runner.work_dir, LAST)}:'
                ' there is no validation to choose a best one')
    return [line, f'log, losses and scores: {runner.log_dir}']


def generation_ending(report: Dict[str, Any], folder: str) -> List[str]:
    """Where maps and masks are, their threshold, and how good they are.

    Args:
        report (dict): What ``scores.json`` holds.
        folder (str): Where it is.
    """
    threshold, score = report.get('threshold'), report.get('mIoU')
    several = threshold if isinstance(threshold, (list, tuple)) else (
        [threshold])
    lines = [f'maps, masks, scores.json and overlays.png are in {folder}']
    if all(isinstance(one, (int, float)) for one in several):
        rule = ' (auto)' if report.get('threshold_rule') == 'auto' else ''
        lines.append('background threshold: ' + ' and '.join(
            f'{one:.2f}' for one in several) + rule)
    lines.append(f'mIoU: {score:.1f} %' if isinstance(score, float)
                 and score == score else
                 'mIoU: unknown, as there are no true masks')
    return lines
