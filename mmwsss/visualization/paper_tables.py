"""Tables as papers print them: methods by scores, best in bold."""
from dataclasses import dataclass, field
from typing import Dict, List, Mapping, Optional, Sequence

# How signs that mean something are written in a name.
_MARKDOWN = str.maketrans({'|': r'\|'})
_LATEX = str.maketrans({
    **{char: '\\' + char for char in '&%$#_{}'}, '~': r'\textasciitilde{}',
    '^': r'\textasciicircum{}', '\\': r'\textbackslash{}'})


@dataclass
class TableRow:
    """One method of a table.

    Attributes:
        method (str): Its name.
        backbone (str): Its backbone, '' where unknown.
        values (dict): Column -> score in per cent; None or no entry: '-'.
        source (str): Where published values stand; '' for one's own.
    """
    method: str
    backbone: str = ''
    values: Dict[str, Optional[float]] = field(default_factory=dict)
    source: str = ''


def markdown_table(columns: Sequence[str], rows: Sequence[TableRow],
                   transposed: bool = False) -> str:
    """A table in Markdown; the sources of published rows follow it.

    Args:
        columns (Sequence[str]): Names of the scores, in order.
        rows (Sequence[TableRow]): Methods, in order.
        transposed (bool): One line a score instead of a method. Defaults to
            False.

    Returns:
        str: With a line break at the end.
    """
    cells = _cells(columns, rows, '**{}**', transposed, _MARKDOWN)
    lines = ['| ' + ' | '.join(line) + ' |' for line in cells]
    names = 1 if transposed else 2
    rule = ['---'] * names + ['---:'] * (len(cells[0]) - names)
    lines.insert(1, '| ' + ' | '.join(rule) + ' |')
    notes = [f'* {_title(row)}: {row.source}.' for row in rows if row.source]
    if notes:
        lines += ['', 'Published rows:', '', *notes]
    return '\n'.join(lines) + '\n'


def latex_table(columns: Sequence[str], rows: Sequence[TableRow],
                transposed: bool = False) -> str:
    """The same as a LaTeX tabular with booktabs; sources are comments.

    A rule stands between published rows and one's own.

    Args:
        columns (Sequence[str]): Names of the scores, in order.
        rows (Sequence[TableRow]): Methods, in order.
        transposed (bool): One line a score instead of a method, and then no
            rule. Defaults to False.

    Returns:
        str: With a line break at the end.
    """
    cells = _cells(columns, rows, r'\textbf{{{}}}', transposed, _LATEX)
    lines = [' & '.join(line) + r' \\' for line in cells]
    published = [bool(row.source) for row in rows]
    own = published.index(False) if False in published else len(rows)
    if not transposed and 0 < own < len(rows) and not any(published[own:]):
        lines.insert(1 + own, r'\midrule')
    lines.insert(1, r'\midrule')
    names = 'l' if transposed else 'll'
    return '\n'.join([
        *(f'% {_title(row)}: {row.source}' for row in rows if row.source),
        rf'\begin{{tabular}}{{{names}{"r" * (len(cells[0]) - len(names))}}}',
        r'\toprule', *lines, r'\bottomrule', r'\end{tabular}']) + '\n'


def _cells(columns: Sequence[str], rows: Sequence[TableRow], bold: str,
           transposed: bool, signs: Mapping[int, str]) -> List[List[str]]:
    """Heading and lines of text; the best of each column is bold."""
    scores = []
    for column in columns:
        texts = [_number(row.values.get(column)) for row in rows]
        known = [float(text) for text in texts if text != '-']
        # What prints alike is equally good.
        scores.append([bold.format(text) if text != '-' and len(rows) > 1
                       and float(text) == max(known) else text
                       for text in texts])
    names = [column.translate(signs) for column in columns]
    if transposed:
        return [['', *(_title(row).translate(signs) for row in rows)],
                *([name, *line] for name, line in zip(names, scores))]
    return [['method', 'backbone', *names],
            *([row.method.translate(signs),
               row.backbone.translate(signs) or '-', *line]
              for row, line in zip(rows, zip(*scores)))]


def _title(row: TableRow) -> str:
    return f'{row.method}, {row.backbone}' if row.backbone else row.method


def _number(value: Optional[float]) -> str:
    return '-' if value is None or value != value else f'{value:.1f}'
