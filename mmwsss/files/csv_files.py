"""Tables of comma-separated values, with the place of every row."""
import csv
import io
from typing import Iterable, Iterator, List, Sequence, Tuple

from mmwsss.problems import DataError, Problems

from .atomic import write_atomically
from .text_files import read_text


def read_csv(path: str, problems: Problems,
             delimiter: str = ',') -> Iterator[Tuple[str, List[str]]]:
    """Read a table row by row.

    Fields are stripped of the spaces around them, rows without any content
    left out. A field that goes on over several lines is a problem: it is
    where a quote is not closed.

    Args:
        path (str): The file; see :func:`read_text` for its encoding.
        problems (Problems): Where to note rows that are left out for it.
        delimiter (str): What stands between two fields. Defaults to ','.

    Yields:
        tuple[str, list[str]]: Where the row stands (``labels.csv line 3``),
        and its fields.

    Raises:
        DataError: If it cannot be read, or breaks off inside a quote or with
            a field over the csv module's limit of 131,072 characters.
    """
    reader = csv.reader(io.StringIO(read_text(path), newline=''), strict=True,
                        delimiter=delimiter)
    while True:
        where = f'{path} line {reader.line_num + 1}'
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise DataError(f'{where}: no row of a table ({error}); is a '
                            'quote (") not closed, or one too many?'
                            ) from error
        if row is None:
            return
        row = [field.strip() for field in row]
        if any('\n' in field or '\r' in field for field in row):
            problems.add(f'{where}: a field over several lines; is a quote '
                         '(") not closed?')
        elif any(row):
            yield where, row


def write_csv(path: str, rows: Iterable[Sequence[object]]) -> None:
    """Write a table that appears whole or not at all.

    Args:
        path (str): Where to write.
        rows (Iterable[Sequence]): The fields of each row, headings first.

    Raises:
        DataError: If it cannot be written.
    """
    text = io.StringIO(newline='')
    csv.writer(text, lineterminator='\n').writerows(rows)
    write_atomically(path, text.getvalue().encode())


def field_delimiter(path: str) -> str:
    """What stands between the fields of a table's header.

    Excel writes ';' where a number has a decimal comma, and a tab as
    "Unicode text".

    Args:
        path (str): The file; see :func:`read_text` for its encoding.

    Returns:
        str: ',', ';' or a tab; ',' where the header has none of them.
    """
    for line in read_text(path).splitlines():
        if line.strip():
            return next((one for one in ',;\t' if one in line), ',')
    return ','
