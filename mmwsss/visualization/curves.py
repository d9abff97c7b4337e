"""Figures of numbers."""
import io
from typing import Dict, Mapping, Optional, Sequence, Union

from mmwsss.files.atomic import write_atomically


def draw_curves(path: str,
                x: Sequence[Union[float, str]],
                curves: Mapping[str, Sequence[float]],
                labels: Dict[str, str],
                marks: Optional[Dict[str, float]] = None,
                marker: Optional[str] = None) -> None:
    """Draw curves over a common axis to a PNG.

    Args:
        path (str): Where to write.
        x (Sequence[float | str]): N places on the axis, numbers or names.
        curves (dict): Name -> N values.
        labels (dict): Texts of the axes, ``xlabel`` and ``ylabel``.
        marks (dict, optional): Name -> place of a vertical line. Defaults to
            None: no line.
        marker (str, optional): Matplotlib's sign for the points. Defaults to
            None: no sign.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    figure = Figure(figsize=(6, 4), layout='constrained')
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for name, values in curves.items():
        axes.plot(x, values, label=name, marker=marker)
    for name, place in (marks or {}).items():
        axes.axvline(place, color='grey', linestyle='--', label=name)
    axes.set(**labels)
    axes.legend()
    buffer = io.BytesIO()
    figure.savefig(buffer, format='png', dpi=100)
    write_atomically(path, buffer.getvalue())


def draw_threshold_curve(path: str, thresholds: Sequence[float],
                         curves: Mapping[str, Sequence[float]],
                         chosen: float) -> None:
    """Draw mIoU against the background threshold to a PNG.

    Args:
        path (str): Where to write.
        thresholds (Sequence[float]): T thresholds in [0, 1].
        curves (dict): Name -> T values in per cent.
        chosen (float): The threshold that was used, marked by a line.
    """
    draw_curves(path, thresholds, curves,
                dict(xlabel='background threshold', ylabel='mIoU (%)'),
                {f'used: {chosen:.2f}': chosen})
