"""What was run: stages, machine, versions, decisions, configs."""
import os.path as osp
from typing import Any, Dict, List, Optional

from mmwsss.files.text_files import read_text
from mmwsss.problems import DataError
from mmwsss.visualization.report import Code, Section, Table, Text

from .runs import Run


def overview(run: Run) -> Section:
    """What was run, with what, for how long, and what was chosen.

    Args:
        run (Run): Its parts have their titles.
    """
    rows = []
    for part in run.parts:
        rows.append((
            part.title, osp.relpath(part.folder, run.folder),
            osp.basename(part.config) if part.config else None,
            part.settings.get('randomness.seed'),
            _time(part.record.get('seconds')),
            'finished' if part.finished else 'not finished'))
    seconds = [part.record['seconds'] for part in run.parts
               if part.record.get('seconds') is not None]
    took = f' All stages took {_time(sum(seconds))}.' if seconds else ''
    blocks: List[Any] = [
        Text(f'Everything lies in {osp.abspath(run.folder)}.{took}'),
        Table('Stages', ['stage', 'folder', 'config', 'seed', 'time',
                         'state'],
              [['–' if one is None else str(one) for one in row]
               for row in rows])]
    known = [part.record['environment'] for part in run.parts
             if part.record.get('environment')]
    if known:
        blocks.append(Table('Machine and versions', ['', ''],
                            list(known[-1].items())))
    else:
        blocks.append(Text('On which machine and with which versions was not '
                           'noted when this was made.'))
    blocks += _plan(run.plan)
    for part in run.parts:
        if part.config:
            try:
                text = read_text(part.config)
            except DataError:
                continue
            blocks.append(Code(f'Config of {part.title}: '
                               f'{osp.basename(part.config)}', text))
    return Section('What was run', blocks)


def _plan(plan: Dict[str, Any]) -> List[Any]:
    """Decisions and reasons, as far as they have the form of a plan."""
    choices = plan.get('choices', plan.get('decisions', {}))
    if not isinstance(choices, dict):
        return []
    rows = [(name, _value(one.get('value')), str(one.get('reason', '')))
            for name, one in choices.items() if isinstance(one, dict)]
    return [Table('What was chosen, and why', ['setting', 'value', 'reason'],
                  rows)] if rows else []


def _value(value: Any) -> str:
    """What was chosen, without the brackets and quotes of a program."""
    if value is None:
        return 'open'
    if isinstance(value, bool):
        return 'yes' if value else 'no'
    if isinstance(value, dict):
        return ', '.join(f'{name}: {_value(one)}'
                         for name, one in value.items())
    if isinstance(value, list):
        nested = any(isinstance(one, list) for one in value)
        return ('; ' if nested else ', ').join(map(_value, value))
    return str(value)


def _time(seconds: Optional[float]) -> Optional[str]:
    """A duration as people say it."""
    if seconds is None:
        return None
    if seconds < 90:
        return f'{seconds:.0f} s'
    if seconds < 5400:
        return f'{seconds / 60:.0f} min'
    return f'{seconds / 3600:.1f} h'
