"""Figures as papers print them: photos in lines, masks in columns."""
import io
import os.path as osp
from typing import Any, Sequence, Tuple

import numpy as np

from mmwsss.files.atomic import write_atomically

FORMATS = ('pdf', 'png', 'webp')

Cell = Tuple[str, np.ndarray]  # caption, RGB picture


def draw_figure(path: str, columns: Sequence[str],
                rows: Sequence[Sequence[Cell]],
                legend: Sequence[Tuple[str, Sequence[int]]],
                width: float = 7.0) -> None:
    """Draw pictures in lines, with captions and the colours of the classes.

    Args:
        path (str): Where to write; its ending is one of ``FORMATS``.
        columns (Sequence[str]): What stands above, M texts.
        rows (Sequence): At most M captions and pictures a line.
        legend (Sequence[tuple]): Names and RGB colours, 0..255.
        width (float): In inches. Defaults to 7, a page of two columns.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch
    shapes = [max(picture.shape[0] / picture.shape[1] for _, picture in row)
              for row in rows]
    side = width / len(columns)
    height = side * sum(shapes) + 0.2 * len(rows) + 0.6
    # Names are text, whatever signs stand in them.
    with rc_context({'text.parse_math': False, 'font.size': 7,
                     'pdf.fonttype': 42}):
        figure = Figure(figsize=(width, height), layout='constrained')
        FigureCanvasAgg(figure)
        grid = figure.subplots(len(rows), len(columns), squeeze=False,
                               height_ratios=shapes)
        for i, (line, row) in enumerate(zip(grid, rows)):
            for axes in line:
                axes.set_axis_off()
            for axes, (caption, picture) in zip(line, row):
                axes.imshow(picture, interpolation='lanczos')
                axes.text(0.5, -0.02, caption, ha='center', va='top',
                          transform=axes.transAxes, fontsize=6)
            for axes, name in zip(line, columns if i == 0 else ()):
                axes.set_title(name, fontsize=8)
        colours: Any = np.divide([colour for _, colour in legend], 255)
        keys: Any = [Patch(facecolor=colour, label=name, edgecolor='black',
                           linewidth=0.4)
                     for (name, _), colour in zip(legend, colours)]
        figure.legend(
            handles=keys,
            loc='outside lower center', ncols=min(len(legend), 8),
            frameon=False)
        buffer = io.BytesIO()
        figure.savefig(buffer, format=osp.splitext(path)[1][1:].lower(),
                       dpi=200)
    write_atomically(path, buffer.getvalue())
