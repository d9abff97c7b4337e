"""A grid of settings: train each, one table and one plot."""
import glob
import itertools
import json
import math
import os.path as osp
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence

from mmengine.config import Config
from mmengine.logging import print_log
from prettytable import MARKDOWN, PrettyTable

from mmwsss.files.atomic import require_writable, write_atomically
from mmwsss.files.json_files import write_json
from mmwsss.files.unfinished import remove_unfinished
from mmwsss.problems import ConfigError
from mmwsss.visualization import draw_curves

from .config import load_config
from .options import parse_value
from .report import write_report
from .stages import Given, Train, each_stage


def parse_grid(texts: Sequence[str]) -> Dict[str, List[Any]]:
    """``['a.b=1,2', 'c=abs,cos']`` -> ``{'a.b': [1, 2], 'c': [...]}``.

    Values that are tuples or lists are parted by ``;`` instead of ``,``:
    ``thresholds=(0.25,0.7);(0.3,0.6)``.

    Raises:
        ConfigError: If one has no ``=`` or no value.
    """
    grid = {}
    for text in texts:
        key, _, values = text.partition('=')
        parts = values.split(';' if ';' in values else ',')
        if not key or not all(parts):
            raise ConfigError(f'--grid {text}: give KEY=VALUE,VALUE,...')
        grid[key] = [parse_value(part, key) for part in parts]
    return grid


def sweep(config: str,
          grid: Dict[str, List[Any]],
          metrics: Sequence[str],
          work_dir: str,
          cfg_options: Optional[dict] = None,
          amp: bool = False,
          overwrite: bool = False) -> List[dict]:
    """Train a config with every combination of settings.

    A finished combination is not trained again, an interrupted one goes on
    from its last checkpoint. After each, ``sweep.json``, ``sweep.md`` and
    ``sweep.png`` in ``work_dir`` are written anew, at the end
    ``report.html``.

    Args:
        config (str): Config file.
        grid (dict): Option -> its values.
        metrics (Sequence[str]): Validation scores to report, such as
            'seg/mIoU'; the last value of each.
        work_dir (str): One folder a combination, and the results.
        cfg_options (dict, optional): Options of all runs.
        amp (bool): Mixed precision.
        overwrite (bool): Replace combinations that were trained with other
            settings; without it they stop the sweep before any work.

    Returns:
        list[dict]: ``options``, ``folder`` and ``scores`` of each.

    Raises:
        ConfigError: If an option is unknown or a folder was made with other
            settings (before any training), or a metric was not reported
            (after the first run).
    """
    work_dir = require_writable(work_dir)
    remove_unfinished(work_dir)
    points = [dict(zip(grid, values))
              for values in itertools.product(*grid.values())]
    stages = [_TrainAndScore(_folder_name(point), _point_config(
        config, cfg_options or {}, point), amp=amp) for point in points]
    results: List[dict] = []
    for stage, done in each_stage(stages, work_dir, overwrite):
        scores = done['scores']
        missing = [name for name in metrics if name not in scores]
        if missing:
            raise ConfigError(
                f'--metric {missing[0]}: {osp.join(work_dir, stage.name)} '
                f'reports {", ".join(sorted(scores))}')
        results.append(dict(options=points[len(results)],
                            folder=osp.join(work_dir, stage.name),
                            scores={name: scores[name] for name in metrics}))
        _report(results, grid, metrics, work_dir)
    print_log(f'report: {write_report(work_dir)}', 'current')
    return results


def _point_config(config: str, options: dict, point: dict) -> Config:
    """The config of a combination; mistakes are of the option ``--grid``."""
    try:
        return load_config(config, {**options, **point})
    except ConfigError as error:
        text = str(error)
        for key in point:
            text = text.replace(f'--cfg-options {key}', f'--grid {key}')
        raise ConfigError(text) from error


@dataclass
class _TrainAndScore(Train):
    """A training whose results have the last validation scores as well."""

    def work(self, cfg: Config, folder: str, given: Given) -> dict:
        return dict(super().work(cfg, folder, given), scores=_scores(folder))


def _folder_name(point: Dict[str, Any]) -> str:
    """A readable name for a combination."""
    parts = [f'{key.split(".")[-1]}={value}' for key, value in point.items()]
    return '_'.join(parts).replace('/', '-').replace(' ', '')


def _scores(work_dir: str) -> Dict[str, Optional[float]]:
    """The last value of everything that validation reported."""
    scores: Dict[str, Optional[float]] = {}
    for path in sorted(glob.glob(osp.join(glob.escape(work_dir), '*',
                                          'vis_data', 'scalars.json'))):
        with open(path) as file:
            for line in file:
                try:
                    row = json.loads(line)
                except ValueError:  # the run was killed while it wrote it
                    continue
                if isinstance(row, dict) and 'loss' not in row:
                    scores.update({name: value for name, value in row.items()
                                   if value is None
                                   or isinstance(value, (int, float))})
    return scores


def _report(results: List[dict], grid: Dict[str, List[Any]],
            metrics: Sequence[str], work_dir: str) -> None:
    """One table, its data and one plot."""
    write_json(osp.join(work_dir, 'sweep.json'), results)
    table = PrettyTable([*grid, *metrics])
    table.set_style(MARKDOWN)
    for result in results:
        table.add_row([*result['options'].values(),
                       *('–' if v is None else f'{v:.2f}'
                         for v in result['scores'].values())])
    write_atomically(osp.join(work_dir, 'sweep.md'),
                     (table.get_string() + '\n').encode())
    # The first option is the axis; each combination of the others a curve.
    axis, *others = grid
    names = [str(value) for value in grid[axis]]
    curves: Dict[str, List[float]] = {}
    for result in results:
        rest = ', '.join(f'{key}={result["options"][key]}' for key in others)
        for metric, value in result['scores'].items():
            curve = curves.setdefault(f'{metric} {rest}'.strip(),
                                      [math.nan] * len(names))
            curve[names.index(str(result['options'][axis]))] = (
                math.nan if value is None else value)
    draw_curves(osp.join(work_dir, 'sweep.png'), names, curves,
                dict(xlabel=axis, ylabel='score'), marker='o')
