"""What goes wrong for users, and all problems of a data set in one report."""
import difflib
import re
from typing import (
    Callable,
    Dict,
    Hashable,
    Iterable,
    List,
    Sequence,
    Tuple,
    Union,
)

# A problem, or what makes its line; called only if the line is shown.
Line = Union[str, Callable[[], str]]

# Other places of one problem that are spelled out.
_PLACES = 4

# Of a class, an option and so on, in characters.
_LONGEST_NAME = 100


def printable(text: str) -> str:
    r"""Text that may be shown on a terminal, whatever names stand in it.

    Names of files, images and classes come from outside. An escape sequence
    in one could recolour the terminal or hide what stands before it, a
    line break could fake a message, and half a surrogate cannot be printed.

    Args:
        text (str): Any text.

    Returns:
        str: The same with control and other invisible characters written as
        in Python, ``\x1b``; line breaks and spaces stay.
    """
    return ''.join(
        one if one.isprintable() or one == '\n' else
        one.encode('unicode_escape').decode('ascii') for one in text)


def one_line(error: object) -> str:
    """What an error of a library says, on one line and not too long.

    Args:
        error: The error; one without a text is called by its type.
    """
    text = ' '.join(str(error).split()) or type(error).__name__
    return printable(text if len(text) < 300 else f'{text[:300]} ...')


class DataError(ValueError):
    """One or more problems in the user's data, each on a line of its own."""


class ConfigError(ValueError):
    """A mistake in a config file or in ``--cfg-options``."""


class NonFiniteLossError(FloatingPointError):
    """A loss became NaN or infinite."""


class Problems:
    """A list of problems that becomes one :class:`DataError`.

    Args:
        title (str): What was being read; it begins the message.
        limit (int): How many problems are spelled out; of the others only
            the number is given. Defaults to 20.
    """

    def __init__(self, title: str, limit: int = 20) -> None:
        self.title = title
        self.limit = limit
        self.lines: List[Line] = []
        # Kind -> number of its line, and the places that are not in it.
        self._same: Dict[Hashable, Tuple[int, List[str]]] = {}

    def __len__(self) -> int:
        """How many problems were noted."""
        return len(self.lines) + sum(
            len(places) for _, places in self._same.values())

    def add(self, line: Line, kind: Hashable = None,
            place: str = '') -> None:
        """Note one problem.

        A mistake that a whole table makes is one line: the first problem of
        a kind is spelled out, of the others the places follow in it.

        Args:
            line (str | callable): What is wrong, where, and the remedy; or a
                function without arguments that says so. It is called only
                if the line is shown, for hints that take time. It is shown
                on one line, without control characters.
            kind (Hashable, optional): What problems that are said once have
                in common. Defaults to None: it stands alone.
            place (str): Where it is, for a problem of a known kind.
        """
        if kind in self._same:
            self._same[kind][1].append(place)
            return
        if kind is not None:
            self._same[kind] = len(self.lines), []
        self.lines.append(line)

    def clear(self) -> None:
        """Forget all problems."""
        self.lines.clear()
        self._same.clear()

    def shown(self) -> List[str]:
        """The problems that are spelled out, each on a line."""
        others = dict(self._same.values())
        return [_shown(line) + _also(others.get(number, ()))
                for number, line in enumerate(self.lines[:self.limit])]

    def raise_if_any(self) -> None:
        """Raise a :class:`DataError` if a problem was noted."""
        if not self.lines:
            return
        shown = self.shown()
        left = len(self) - len(shown) - sum(
            len(places) for number, places in self._same.values()
            if number < self.limit)
        if left:
            shown.append(f'... and {left} more')
        title = printable(' '.join(self.title.splitlines()))
        raise DataError('\n  '.join([f'{title}: {len(self)} problem(s)',
                                     *shown]))


def _also(places: Sequence[str]) -> str:
    """The other places of a problem, the first ones in words."""
    if not places:
        return ''
    more = len(places) - _PLACES
    return printable('; also ' + ', '.join(places[:_PLACES])
                     + (f' and {more} more' if more > 0 else ''))


def _shown(line: Line) -> str:
    """A problem on one line that may be printed."""
    text = line if isinstance(line, str) else line()
    return printable(re.sub(r'\s*\n\s*', ' ', text))


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """Say that a name is unknown, and what was perhaps meant.

    Args:
        kind (str): What the name is for, e.g. 'class'.
        name (str): The name.
        known (Iterable[str]): The names there are.

    Returns:
        str: ``unknown class 'sheeps' (did you mean 'sheep'?)``.
    """
    known = list(known)
    # What is longer than any name was not misspelt; comparing would be slow.
    close = difflib.get_close_matches(name, known, n=1) if (
        len(name) <= _LONGEST_NAME) else []
    if len(name) > _LONGEST_NAME:
        name = name[:_LONGEST_NAME - 3] + '...'
    hint = (f'did you mean {close[0]!r}?' if close else
            'known: ' + ', '.join(known[:8]) +
            (', ...' if len(known) > 8 else ''))
    return f'unknown {kind} {name!r} ({hint})'
