"""Several localizers, several seeds, the whole path of each: one table."""
import os.path as osp
from collections import ChainMap
from typing import Any, Dict, List, Optional, Sequence

from mmengine.logging import print_log
from prettytable import MARKDOWN, PrettyTable

from mmwsss.files.atomic import require_writable, write_atomically
from mmwsss.files.json_files import write_json
from mmwsss.files.unfinished import remove_unfinished
from mmwsss.problems import ConfigError
from mmwsss.visualization.tables import spread

from .config import fitting_options
from .pipeline import path_stages, run_pipeline
from .report import write_report
from .stages import check_stages

# Heading -> stage and score of the pipeline.
COLUMNS = {
    'mAP val': ('pseudo_val', 'mAP'),
    'seeds train': ('pseudo_train', 'best_mIoU'),
    'seeds val': ('pseudo_val', 'best_mIoU'),
    'CRF train': ('crf_train', 'best_mIoU'),
    'CRF val': ('crf_val', 'best_mIoU'),
    'affinity train': ('affinity_train', 'best_mIoU'),
    'affinity val': ('affinity_val', 'best_mIoU'),
    'own decoder val': ('decoder', 'mIoU'),
    'own decoder + CRF val': ('decoder', 'crf/mIoU'),
    'segmentor val': ('test', 'mIoU'),
    'segmentor + CRF val': ('test', 'crf/mIoU'),
}


def compare(localizers: Sequence[str],
            segmentor: Optional[str],
            work_dir: str,
            seeds: Sequence[int] = (0, 1, 2),
            affinity: Optional[str] = None,
            crf: bool = False,
            amp: bool = False,
            cfg_options: Optional[dict] = None,
            overwrite: bool = False) -> List[dict]:
    """Run the whole path for every localizer and seed; one table.

    What is finished is not run again. ``comparison.json`` and
    ``comparison.md`` in ``work_dir`` are written anew after each path, a
    ``report.html`` at the end.

    Args:
        localizers (Sequence[str]): Config files.
        segmentor (str, optional): Config file; None compares the masks only.
        work_dir (str): A folder for each localizer and seed, and the results.
        seeds (Sequence[int]): Of all trainings. Default to (0, 1, 2).
        affinity (str, optional): See :func:`run_pipeline`.
        crf (bool): See :func:`run_pipeline`.
        amp (bool): Mixed precision in training.
        cfg_options (dict, optional): Options; each config gets those that it
            has, one that none has is an error.
        overwrite (bool): See :func:`run_pipeline`.

    Returns:
        list[dict]: For each localizer ``name`` and ``scores``: heading ->
        values by seed.

    Raises:
        ConfigError: If an option fits no config, or any of the paths cannot
            work (numbers of classes, folders), before the first one begins.
    """
    work_dir = require_writable(work_dir)
    remove_unfinished(work_dir)
    shared = [path for path in (segmentor, affinity) if path]
    fitting = fitting_options([*localizers, *shared], cfg_options or {})
    options = [{**found, **dict(ChainMap(*fitting[len(localizers):]))}
               for found in fitting[:len(localizers)]]
    names = [osp.splitext(osp.basename(path))[0] for path in localizers]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f'{name}: two localizers of this name, whose '
                              'folders would be the same; rename one')
    rows: List[Dict[str, Any]] = [dict(name=name, scores={})
                                  for name in names]
    runs = [(row, (path, segmentor,
                   osp.join(work_dir, row['name'], f'seed_{seed}'),
                   {**own, 'randomness.seed': seed}, affinity, crf, amp))
            for seed in seeds
            for path, row, own in zip(localizers, rows, options)]
    for _, run in runs:
        check_stages(path_stages(*run), run[2], overwrite)
    for row, run in runs:
        results = run_pipeline(*run, overwrite)
        for heading, (stage, score) in COLUMNS.items():
            value = _score(results.get(stage, {}), score)
            if value is not None:
                row['scores'].setdefault(heading, []).append(value)
        _report(rows, seeds, work_dir)
    print_log(f'report: {write_report(work_dir)}', 'current')
    return rows


def _score(results: Dict[str, float], name: str) -> Optional[float]:
    """A score of a stage; of the chosen classes where there are such."""
    chosen = [key for key in results if key.startswith(f'{name}-')]
    return results.get(chosen[0] if chosen else name)


def _report(rows: List[dict], seeds: Sequence[int], work_dir: str) -> None:
    """Mean and standard deviation over the seeds that are finished."""
    headings = [name for name in COLUMNS
                if any(name in row['scores'] for row in rows)]
    table = PrettyTable(['localizer', *headings])
    table.set_style(MARKDOWN)
    table.align['localizer'] = 'l'
    for row in rows:
        table.add_row([row['name'], *(
            spread(row['scores'].get(name, [])) for name in headings)])
    write_json(osp.join(work_dir, 'comparison.json'),
               dict(seeds=list(seeds), rows=rows))
    write_atomically(osp.join(work_dir, 'comparison.md'),
                     (table.get_string() + '\n').encode())
    print_log('\n' + table.get_string(), 'current')
