"""Figures of numbers."""
import io
from typing import Dict, Sequence

from mmwsss.datasets.map_files import write_atomically


def draw_threshold_curve(path: str, thresholds: Sequence[float],
                         curves: Dict[str, Sequence[float]],
                         chosen: float) -> None:
    """Draw mIoU against the background threshold to a PNG.

    Args:
        path (str): Where to write.
        thresholds (Sequence[float]): T thresholds.
        curves (dict): Name -> T values in per cent.
        chosen (float): The threshold that was used, marked by a line.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    figure = Figure(figsize=(6, 4), layout='constrained')
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for name, values in curves.items():
        axes.plot(thresholds, values, label=name)
    axes.axvline(chosen, color='grey', linestyle='--',
                 label=f'used: {chosen:.2f}')
    axes.set(xlabel='background threshold', ylabel='mIoU (%)')
    axes.legend()
    buffer = io.BytesIO()
    figure.savefig(buffer, format='png', dpi=100)
    write_atomically(path, buffer.getvalue())
