"""Tables for the terminal."""
import statistics
from typing import Mapping, Sequence

from prettytable import PrettyTable


def class_table(names: Sequence[str], columns: Mapping[str, Sequence[float]],
                title: str = '') -> str:
    """A table with one line a class and the mean in the last line.

    Args:
        names (Sequence[str]): Class names.
        columns (dict): Heading -> one value a class, in per cent; NaN is
            shown as '–' and left out of the mean.
        title (str): Printed above. Defaults to '': none.

    Returns:
        str: The table.
    """
    table = PrettyTable(['class', *columns], title=title or None)
    table.align['class'] = 'l'
    for row, name in enumerate(names):
        table.add_row([name, *(_number(v[row]) for v in columns.values())],
                      divider=row == len(names) - 1)
    table.add_row(['mean', *(_number(_mean(v)) for v in columns.values())])
    return table.get_string()


def spread(values: Sequence[float]) -> str:
    """``58.7 ± 0.4 (3)``: mean, standard deviation, number of values."""
    if not values:
        return '-'
    if len(values) == 1:
        return f'{values[0]:.1f} (1)'
    return (f'{statistics.mean(values):.1f} ± {statistics.stdev(values):.1f} '
            f'({len(values)})')


def _mean(values: Sequence[float]) -> float:
    present = [v for v in values if v == v]
    return sum(present) / len(present) if present else float('nan')


def _number(value: float) -> str:
    return '–' if value != value else f'{value:.2f}'
