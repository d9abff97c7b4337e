"""Text files, whoever saved them: one rule of what their bytes mean."""
import codecs
import io
from typing import List

from mmwsss.problems import DataError

# The longer marks first: UTF-32's begins with UTF-16's.
_MARKS = ((codecs.BOM_UTF8, 'utf-8-sig'), (codecs.BOM_UTF32_LE, 'utf-32'),
          (codecs.BOM_UTF32_BE, 'utf-32'), (codecs.BOM_UTF16_LE, 'utf-16'),
          (codecs.BOM_UTF16_BE, 'utf-16'))
_REMEDY = ("save it as UTF-8, e.g. with 'iconv -f {} -t UTF-8', or choose "
           'UTF-8 where your editor or spreadsheet saves it')


def read_text(path: str) -> str:
    """The text of a file, line ends as they are.

    UTF-8, with or without a byte order mark, or UTF-16 with one. Nothing
    else is guessed: Latin-1 would turn any bytes into names.

    Args:
        path (str): The file.

    Raises:
        DataError: If it cannot be read or is something else, naming the
            file, the line and the remedy.
    """
    try:
        with open(path, 'rb') as file:
            content = file.read()
    except OSError as error:
        raise DataError(f'{path}: cannot be read ({error.strerror})'
                        ) from error
    encoding = next((name for mark, name in _MARKS
                     if content.startswith(mark)), 'utf-8')
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding.startswith('utf-8'):
            line = content.count(b'\n', 0, error.start) + 1
            raise DataError(
                f'{path} line {line}: byte 0x{content[error.start]:02x} is '
                f'not UTF-8; {_REMEDY.format("CP1252")}') from error
        raise DataError(f'{path}: begins as {encoding.upper()}, but is cut '
                        f'or damaged; {_REMEDY.format(encoding.upper())}'
                        ) from error
    if '\0' in text:
        line = text.count('\n', 0, text.index('\0')) + 1
        raise DataError(f'{path} line {line}: a zero byte; this is no text, '
                        'or UTF-16 without its byte order mark; '
                        f'{_REMEDY.format("UTF-16LE")}')
    return text


def read_lines(path: str) -> List[str]:
    r"""The lines of a text file without their ends (\n, \r\n or \r).

    Args:
        path (str): The file.

    Raises:
        DataError: See :func:`read_text`.
    """
    # Not str.splitlines, which ends lines at some characters of names, too.
    return [line.rstrip('\n') for line in
            io.StringIO(read_text(path), newline=None)]
