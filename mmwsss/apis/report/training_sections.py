"""Curves of trainings."""
from typing import Any, Dict, List, Optional, Tuple

from mmwsss.visualization.report import Chart, Section, Text, curves

from .runs import Part, Run

_TIMES = {'time', 'data_time', 'step', 'iter', 'epoch', 'memory', 'lr',
          'base_lr', 'momentum', 'base_momentum'}
_MOST_POINTS = 200
_MOST_LINES = 6


def training_section(run: Run) -> Optional[Section]:
    """Losses and validation scores of every training of a run."""
    blocks: List[Any] = []
    for part in run.parts:
        losses, scores = _split(part)
        blocks += [*_charts(f'Losses of {part.title}', losses, 'loss'),
                   *_charts(f'Validation of {part.title}', scores, 'score')]
    if not blocks:
        return None
    return Section('Training curves', [Text(
        'A loss is what training makes smaller. It should fall and level '
        'off; a jump upwards means that the learning rate is too large. The '
        'scores of validation say whether more training would still help.'),
        *blocks])


Curve = List[Tuple[int, float]]


def _split(part: Part) -> Tuple[Dict[str, Curve], Dict[str, Curve]]:
    """Losses and scores, name -> step and value."""
    losses: Dict[str, Curve] = {}
    scores: Dict[str, Curve] = {}
    for row in part.curves:
        curves = losses if 'loss' in row else scores
        for name, value in row.items():
            if (name not in _TIMES and isinstance(value, (int, float))
                    and value == value
                    and (curves is scores or 'loss' in name)):
                step = row.get('step', row.get('iter', 0))
                curve = curves.setdefault(name, [])
                if curve and curve[-1][0] >= step:  # it was gone on with
                    curve[:] = [one for one in curve if one[0] < step]
                curve.append((step, value))
    return losses, scores


def _charts(caption: str, found: Dict[str, Curve],
            ylabel: str) -> List[Chart]:
    """One chart, or none; the names that come first are kept."""
    kept = dict(list(found.items())[:_MOST_LINES])
    if not kept:
        return []
    steps = sorted({step for curve in kept.values() for step, _ in curve})
    every = -(-len(steps) // _MOST_POINTS)
    steps = steps[::-1][::every][::-1]  # the last one is always there
    lines: Dict[str, Any] = {}
    for name, curve in kept.items():
        values = dict(curve)
        lines[name] = [values.get(step) for step in steps]
    return [curves(caption, steps, lines, 'iteration or epoch', ylabel)]
