"""Which names a class can have."""
import unicodedata
from typing import Sequence

from mmwsss.problems import DataError

_LINE_ENDS = ('Cc', 'Zl', 'Zp')  # and other characters that nothing shows


def check_class_names(names: Sequence[str], where: str) -> None:
    """Raise for names that nobody can read, or type.

    No file or folder is named after a class, so that all other characters,
    such as ``/``, may be in it; but names stand in lines of logs and tables,
    and tables of tags are read without the spaces around a name.

    Args:
        names (Sequence[str]): Of all classes.
        where (str): What has them, for the error.

    Raises:
        DataError: If one is empty, has spaces around it, or holds control
            characters or ends of lines.
    """
    for name in names:
        if not name.strip():
            fault = 'is empty'
        elif name != name.strip():
            fault = 'has spaces around it'
        elif any(unicodedata.category(one) in _LINE_ENDS for one in name):
            fault = 'holds a control character or the end of a line'
        else:
            continue
        raise DataError(f'{where}: the class name {name!r} {fault}; write it '
                        'without')
