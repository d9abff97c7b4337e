"""A page to look at, from the folders of finished work."""
import hashlib
import os
import os.path as osp
from typing import List, Optional, Sequence, Union

from mmwsss.files.atomic import require_writable_file, write_atomically
from mmwsss.files.result_classes import RECORDS
from mmwsss.problems import ConfigError
from mmwsss.version import __version__
from mmwsss.visualization.report import Report, page
from mmwsss.visualization.report.page import page_digest

from ..stages import RECORD
from .gallery import gallery
from .labels import share_labels
from .older import find_records
from .runs import DOUBTS, SCORES, Run, find_runs
from .sections import (
    comparison_sections,
    damage_sections,
    run_sections,
    side_by_side,
    summary,
)
from .stage_words import name_parts, opening_part

NAME = 'report.html'
_FILES = {RECORD, RECORDS, *SCORES, 'test_scores_crf.json', 'scalars.json',
          osp.basename(DOUBTS), 'plan.json', 'comparison.json', 'sweep.json'}


def write_report(folders: Union[str, Sequence[str]],
                 out: Optional[str] = None) -> str:
    """Write a page that shows what was made and how good it is.

    It is one HTML file that opens from disk and holds everything that it
    shows. What it is made from is noted in it: where nothing has changed
    since, the page stays as it is.

    Args:
        folders (str | Sequence[str]): Folders of ``run_pipeline``,
            ``compare``, ``sweep``, ``generate_pseudo_labels`` or ``test``;
            several stand side by side.
        out (str, optional): The file. Defaults to None: ``report.html`` in
            the first folder.

    Returns:
        str: Path of the page.

    Raises:
        ConfigError: If no folder is given.
        DataError: If a folder holds no results. A file that is damaged costs
            its part of the page alone; a line there and in the log names it.
    """
    places = [folders] if isinstance(folders, str) else list(folders)
    if not places:
        raise ConfigError('give a folder of results')
    places = [osp.expanduser(place) for place in places]
    runs = [run for place in places for run in find_runs(place)]
    out = require_writable_file(out or osp.join(places[0], NAME))
    digest = _digest(places)
    if page_digest(out) == digest:
        return out
    for run in runs:
        find_records(run)
        share_labels(run)
        name_parts(run)
    write_atomically(out, page(_report(places, runs, digest)).encode(
        'utf-8', 'replace'))
    return out


def _report(places: Sequence[str], runs: Sequence[Run], digest: str
            ) -> Report:
    _tell_apart(runs)
    title = 'Report: ' + ', '.join(osp.basename(osp.abspath(place))
                                   for place in places)
    sections = comparison_sections(places) or side_by_side(runs)
    for run in runs:
        sections += run_sections(run, several=len(runs) > 1)
    shown: List[Run] = []
    for run in runs:  # of each method one seed
        name = run.title.split(', seed ')[0]
        if all(one.title.split(', seed ')[0] != name for one in shown):
            shown.append(run)
    photos = gallery(
        [(part.title if len(runs) == 1 else f'{run.title}: {part.title}',
          part) for run in shown for part in run.parts],
        [row for run in shown for row in run.doubts],
        opening_part(shown[0].parts))
    left_out = damage_sections(runs)  # after the gallery has read all files
    # A page with gaps is made anew each time: its files may be mended.
    return Report(title, summary(runs), left_out + sections,
                  [photos] if photos is not None else [],
                  '' if left_out else digest)


def _tell_apart(runs: Sequence[Run]) -> None:
    """Give runs of one title the folder above it as well."""
    titles = [run.title for run in runs]
    for run in runs:
        if titles.count(run.title) > 1:
            above = osp.basename(osp.dirname(osp.abspath(run.folder)))
            run.title = f'{above}/{run.title}'


def _digest(places: Sequence[str]) -> str:
    """Of names, sizes and times of all files that a report depends on."""
    digest = hashlib.sha256(__version__.encode())
    for place in places:
        for folder, inner, names in os.walk(place):
            inner[:] = sorted(set(inner) - {'maps', 'masks', 'predictions',
                                            'vis_image'})
            for name in sorted(_FILES & set(names)):
                state = os.stat(osp.join(folder, name))
                digest.update(repr((folder, name, state.st_size,
                                    state.st_mtime_ns)).encode())
    return digest.hexdigest()
