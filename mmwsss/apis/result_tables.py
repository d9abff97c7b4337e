"""Result files of our tools and published rows as the papers' tables."""
import os.path as osp
from typing import Dict, List, Optional, Sequence, Tuple

import mmwsss.visualization
from mmwsss.datasets.class_prompts import squash
from mmwsss.files.atomic import require_writable, write_atomically
from mmwsss.files.json_files import read_json
from mmwsss.problems import ConfigError, DataError, unknown_name
from mmwsss.visualization.paper_tables import (
    TableRow,
    latex_table,
    markdown_table,
)

COLUMNS = ('seed', 'mask', 'val', 'test')  # in the papers' order
PUBLISHED = osp.join(osp.dirname(mmwsss.visualization.__file__),
                     'published.json')
DATASETS = ('voc12', 'coco14')


def write_tables(rows: Sequence[Tuple[str, Sequence[str]]],
                 out_dir: Optional[str] = None,
                 dataset: Optional[str] = 'voc12',
                 per_class: Sequence[str] = (),
                 transposed: bool = False) -> str:
    """Write the overview and the tables by class as Markdown and LaTeX.

    Args:
        rows (Sequence): One's own: (method, ['COLUMN=FILE', ...]). FILE is
            ``scores.json`` of ``tools/gen_pseudo.py``, ``evaluation.json`` of
            ``tools/eval_pseudo.py``, ``test_scores.json`` of
            ``tools/test.py`` or any JSON with ``mIoU`` and, by class,
            ``IoU``; 'COLUMN=FILE:KEY' takes another score from it.
        out_dir (str, optional): Where ``overview`` and
            ``per_class_<column>`` go, ``.md`` and ``.tex``. Defaults to None:
            nothing is written.
        dataset (str, optional): Whose published rows stand above: 'voc12',
            'coco14', or None for none. Defaults to 'voc12'.
        per_class (Sequence[str]): Columns to show by class. Defaults to none.
        transposed (bool): Tables by class have one line a class. Defaults to
            False: one line a method.

    Returns:
        str: All tables in Markdown.

    Raises:
        DataError: If a file is missing, broken or lacks a score.
        ConfigError: If a row or column is not usable.
    """
    if out_dir is not None:
        out_dir = require_writable(out_dir)
    published = [] if dataset is None else read_published(dataset)
    own = [(method, _parse_files(method, items)) for method, items in rows]
    overview = [TableRow(entry['method'], entry['backbone'], entry['scores'],
                         entry['source']) for entry in published]
    overview += [TableRow(method, values={
        column: read_score(path, key) for column, (path, key) in files.items()
    }) for method, files in own]
    present = {name: None for row in overview for name in row.values}
    columns = [*(name for name in COLUMNS if name in present),
               *(name for name in present if name not in COLUMNS)]
    if not columns:
        raise ConfigError('no rows: give --row, or the published ones')
    tables = {'overview': (columns, overview, False)}
    for column in per_class:
        tables[f'per_class_{column}'] = (*_by_class(column, published, own),
                                         transposed)
    shown = []
    for name, table in tables.items():
        text = markdown_table(*table)
        shown.append(f'{name}\n\n{text}')
        if out_dir is None:
            continue
        write_atomically(osp.join(out_dir, f'{name}.md'), text.encode())
        write_atomically(osp.join(out_dir, f'{name}.tex'),
                         latex_table(*table).encode())
    return '\n'.join(shown)


def read_published(dataset: str) -> List[dict]:
    """Published rows of a data set, each with ``source``.

    Args:
        dataset (str): 'voc12' or 'coco14'.

    Returns:
        list[dict]: With ``method``, ``backbone``, ``scores`` by column and,
        where known, ``IoU`` by column and class.
    """
    if dataset not in DATASETS:
        raise ConfigError(unknown_name('data set', dataset, DATASETS))
    return [entry for entry in read_json(PUBLISHED)
            if entry['dataset'] == dataset]


def read_score(path: str, key: str = 'mIoU') -> float:
    """One score of a result file.

    ``mIoU`` of a ``scores.json`` that has two thresholds, and so no mIoU of
    its own, is that of the best single one.

    Args:
        path (str): The file, see :func:`write_tables`.
        key (str): Name of the score in it. Defaults to 'mIoU'.

    Returns:
        float: In per cent.

    Raises:
        DataError: If the file cannot be read or lacks the score.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise DataError(f'{path}: not a result file (a JSON object)')
    if key == 'mIoU' and key not in content:
        key = 'best_mIoU' if 'best_mIoU' in content else key
    if key not in content:
        raise DataError(f'{path}: {unknown_name("score", key, content)}')
    return _score(path, key, content[key])


def _read_class_scores(path: str) -> Dict[str, Optional[float]]:
    """``IoU`` by class of a result file; None where it is undefined."""
    content = read_json(path)
    scores = content.get('IoU') if isinstance(content, dict) else None
    if not isinstance(scores, dict) or not scores:
        raise DataError(f"{path}: no 'IoU' by class in it")
    return {name: None if value is None else _score(path, name, value)
            for name, value in scores.items()}


def _score(path: str, key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise DataError(f'{path}: {key!r} is {value!r}, not a number')
    return float(value)


def _parse_files(method: str, items: Sequence[str]
                 ) -> Dict[str, Tuple[str, str]]:
    """'COLUMN=FILE:KEY' -> column: (file, key)."""
    files = {}
    for item in items:
        column, _, path = item.partition('=')
        if not column or not path:
            raise ConfigError(f'--row {method} {item}: give COLUMN=FILE, e.g. '
                              'val=test.json')
        key = 'mIoU'
        if not osp.exists(path) and ':' in path:
            path, _, key = path.rpartition(':')
        files[column] = (path, key)
    if not files:
        raise ConfigError(f'--row {method}: give COLUMN=FILE, e.g. '
                          'val=test.json')
    return files


def _by_class(column: str, published: Sequence[dict],
              own: Sequence[Tuple[str, Dict[str, Tuple[str, str]]]]
              ) -> Tuple[List[str], List[TableRow]]:
    """Columns and rows of a table by class; the mean is the last column."""
    rows = [TableRow(entry['method'], entry['backbone'],
                     dict(entry['IoU'][column],
                          mIoU=entry['scores'][column]), entry['source'])
            for entry in published if column in entry.get('IoU', {})]
    rows += [TableRow(method, values=dict(
        _read_class_scores(files[column][0]),
        mIoU=read_score(files[column][0])))
        for method, files in own if column in files]
    if not rows:
        raise ConfigError(f'--per-class {column}: no row has a file for it')
    # Two data sets may spell a class differently ('diningtable').
    names: Dict[str, str] = {}
    for row in rows:
        row.values = {names.setdefault(squash(name), name): value
                      for name, value in row.values.items()}
    classes = [name for name in names.values() if name != 'mIoU']
    return [*classes, 'mIoU'], rows
