"""Drawings that stand inside a page, in the colours of its text."""
import io
import re
from typing import Any, Callable, Dict, Mapping, Optional, Sequence

from .blocks import Chart, Table

# After Okabe and Ito, which people with any colour vision tell apart; lines
# differ in their strokes as well.
_COLOURS = ('#2B84C6', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9')
_STROKES = ('-', '--', '-.', ':')
_INK = '#010203'  # becomes the colour of the page's text
_IDS = re.compile(r' id="[a-zA-Z0-9.]+_\d+"')
_STYLE: Dict[Any, Any] = {
    'svg.fonttype': 'none', 'text.parse_math': False,
    'font.family': 'sans-serif', 'font.size': 9,
    **dict.fromkeys(('text.color', 'axes.edgecolor', 'axes.labelcolor',
                     'xtick.color', 'ytick.color'), _INK)}


def curves(caption: str, x: Sequence[Any],
           lines: Mapping[str, Sequence[Optional[float]]], xlabel: str,
           ylabel: str, mark: Optional[float] = None) -> Chart:
    """Curves over a common axis.

    Args:
        caption (str): Stands below.
        x (Sequence): N places on the axis.
        lines (dict): Name -> N values; None where there is none.
        xlabel (str): What the axis is.
        ylabel (str): What the values are.
        mark (float, optional): A place of the axis to mark. Defaults to
            None.
    """
    def draw(axes: Any) -> None:
        for i, (name, values) in enumerate(lines.items()):
            known = [(one, value) for one, value in zip(x, values)
                     if value is not None]
            axes.plot(*zip(*known) if known else ((), ()), label=name,
                      color=_COLOURS[i % len(_COLOURS)],
                      linestyle=_STROKES[i % len(_STROKES)],
                      marker='.' if len(known) < 20 else None)
        if mark is not None:
            axes.axvline(mark, color=_INK, linewidth=0.8,
                         label=f'used: {mark:g}')
        axes.set(xlabel=xlabel, ylabel=ylabel)
        axes.grid(alpha=0.3)
        axes.legend(framealpha=0, fontsize=8)

    return Chart(caption, _svg(draw, caption), Table(
        f'Numbers of: {caption}', [xlabel, *lines],
        list(zip(x, *lines.values()))))


def bars(caption: str, values: Mapping[str, Optional[float]],
         xlabel: str) -> Chart:
    """A bar for each name, with its number.

    Args:
        caption (str): Stands below.
        values (dict): Name -> value; None where there is none.
        xlabel (str): What the values are.
    """
    def draw(axes: Any) -> None:
        names = list(values)
        found = axes.barh(range(len(names)),
                          [value or 0 for value in values.values()],
                          color=_COLOURS[0])
        axes.bar_label(found, [' -' if value is None else f' {value:.1f}'
                               for value in values.values()])
        axes.set(yticks=range(len(names)), yticklabels=names, xlabel=xlabel)
        axes.margins(x=0.15)
        axes.invert_yaxis()

    return Chart(caption, _svg(draw, caption, 0.8 + 0.22 * len(values)),
                 Table(f'Numbers of: {caption}', ['', xlabel],
                       list(values.items())))


def _svg(draw: Callable[[Any], None], salt: str,
         height: float = 2.8) -> str:
    """A drawing as the text of an ``<svg>`` element.

    Args:
        draw (Callable): Takes the axes.
        salt (str): Names inside differ from those of other drawings by it.
        height (float): In inches. Defaults to 2.8.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    with matplotlib.rc_context({**_STYLE, 'svg.hashsalt': salt}):
        figure = Figure(figsize=(4.6, height), layout='constrained')
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        axes.patch.set_alpha(0)
        axes.spines[['top', 'right']].set_visible(False)
        draw(axes)
        buffer = io.StringIO()
        figure.savefig(buffer, format='svg', transparent=True, metadata=dict(
            Date=None, Creator=None, Format=None, Type=None))
    text = buffer.getvalue()
    return _IDS.sub('', text[text.index('<svg'):]).replace(
        _INK, 'currentColor')
