"""From photos and tags to masks and a network, in one call."""
import os.path as osp
from contextlib import ExitStack, nullcontext, suppress
from typing import Any, Dict, List, Optional, Union

from mmwsss.files.json_files import read_json
from mmwsss.parallel.listeners import told_to
from mmwsss.problems import ConfigError, DataError

from .generation import check_threshold
from .pipeline import run_pipeline
from .plan_words import chosen, plan_text
from .planning import plan
from .quiet_console import quiet_console
from .run_progress import RunProgress, screen
from .stages import RECORD

LOG = 'fit.log'


def fit(photos: str,
        labels: str,
        work_dir: str,
        overwrite: bool = False,
        verbose: bool = False,
        **options: Any) -> Dict[str, dict]:
    """Plan, then run the plan, then say what was made.

    What is finished is not done again, what was interrupted goes on; with the
    same arguments it comes to the same end.

    Args:
        photos (str): Folder of photos.
        labels (str): File of tags.
        work_dir (str): Where everything is written.
        overwrite (bool): Replace what was made with other settings.
        verbose (bool): Show the whole log instead of one line of progress.
        **options: See :func:`mmwsss.apis.planning.plan`; with ``dry_run``
            nothing is run or written.

    Returns:
        dict: Stage name -> its results; none with ``dry_run``.

    Raises:
        ConfigError: If an option cannot be followed.
        DataError: With every problem of photos and tags.
    """
    work_dir = osp.abspath(osp.expanduser(work_dir))
    if not (overwrite or options.get('replan') or options.get('dry_run')):
        _check_masks(work_dir, options.get('threshold'))
    made = show_plan(photos, labels, work_dir, verbose, **options)
    if options.get('dry_run'):
        return {}
    values = chosen(made)
    affinity = osp.join(work_dir, 'affinity.py')
    console = screen()
    if osp.isdir(osp.join(work_dir, 'localizer')):
        console.print('goes on: what is finished is not done again')
    with ExitStack() as stack:
        if not verbose:
            progress = stack.enter_context(
                RunProgress(made['seconds'], console,
                            made['request']['time_budget']))
            stack.enter_context(told_to(progress))
            stack.enter_context(quiet_console(
                osp.join(work_dir, LOG), console.print))
        results = run_pipeline(
            osp.join(work_dir, 'localizer.py'),
            osp.join(work_dir, 'segmentor.py'), work_dir,
            affinity=affinity if values['affinity'] else None,
            amp=values['amp'], overwrite=overwrite,
            threshold=None if values['threshold'] == 'auto' else
            values['threshold'], check_labels=True)
    for line in summary(results, values, work_dir):
        console.print(line)
    return results


def _check_masks(work_dir: str,
                 threshold: Union[None, float, str]) -> None:
    """Raise if masks of another threshold are there, before a plan is shown.

    The pipeline would say the same, below all lines of the plan, and the plan
    would have taken the threshold by then.
    """
    check_threshold(threshold, most=1)
    path = osp.join(work_dir, 'pseudo_train', RECORD)
    if threshold is None or not osp.isfile(path):
        return
    # A damaged record counts as absent, and its masks are made anew.
    with suppress(DataError, AttributeError, KeyError, TypeError):
        before = read_json(path)['settings'].get('threshold', 'auto')
        if before != threshold:
            raise ConfigError(
                f'{work_dir}: has masks of --threshold {before}, and '
                f'{threshold} is asked for; replace them with --overwrite, or '
                'give another --work-dir')


def show_plan(photos: str, labels: str, work_dir: str, verbose: bool = False,
              **options: Any) -> Dict[str, Any]:
    """Make a plan, or find the one that is there, and print it.

    Args:
        photos (str): Folder of photos.
        labels (str): File of tags.
        work_dir (str): The run's folder.
        verbose (bool): Also show what measuring the networks logs.
        **options: See :func:`mmwsss.apis.planning.plan`.

    Returns:
        dict: The plan.
    """
    console = screen()
    # Nothing may be written before the plan stands.
    with nullcontext() if verbose else quiet_console(
            '/dev/null', console.print):
        made = plan(photos, labels, work_dir, **options)
    for line in (plan_text(made), *made['notes']):
        console.print(line)
    return made


def summary(results: Dict[str, dict], values: Dict[str, Any],
            work_dir: str) -> List[str]:
    """What was made, how good it is, where to look: a line each.

    Args:
        results (dict): See :func:`mmwsss.apis.run_pipeline`.
        values (dict): What the plan chose.
        work_dir (str): The run's folder.
    """
    last = 'affinity_train' if values['affinity'] else 'pseudo_train'
    parts = [name for name in (last, last.replace('train', 'val'))
             if name in results]
    count = sum(results[name]['images'] for name in parts)
    folders = ' and '.join(osp.join(work_dir, name, 'masks')
                           for name in parts)
    # Those of true masks differ.
    thresholds = dict.fromkeys(f'{results[name]["threshold"]:.2f}'
                               for name in parts)
    precision = results.get('pseudo_val', {}).get('mAP')
    known = ('too few photos to hold some out, so nothing says it but the '
             'pictures')
    if precision is not None:
        known = (f'the tags of {values["held_out"]} held-out photos are found '
                 f'with mAP {precision:.1f} (100 is best); of masks the '
                 'pictures tell')
    scored = results.get('test', {}).get('mIoU')
    if scored is not None:
        known += f'; mIoU on true masks {scored:.1f}'
    pages = [osp.join(work_dir, *name) for name in (
        ('report.html', ), (last, 'overlays.png'),
        ('test', 'predictions_overlays.png'))]
    look: Optional[str] = ', '.join(filter(osp.isfile, pages))
    return [
        f'made: {count} masks in {folders} (background threshold '
        f'{" and ".join(thresholds)}), a network in '
        f'{results["segmentor"]["checkpoint"]}',
        f'how good: {known}',
        f'look at: {look}; other photos: mmwsss predict {work_dir} PHOTOS '
        '--out DIR']
