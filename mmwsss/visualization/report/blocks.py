"""What a report is made of; its template knows how each part looks."""
from dataclasses import dataclass, field
from typing import Any, ClassVar, Dict, List, Sequence, Tuple

_HEADINGS = 60  # letters of all headings of a table
_LONG = 20  # letters of a cell


@dataclass
class Text:
    """A paragraph.

    Attributes:
        text (str): Whole sentences.
    """
    text: str
    kind: ClassVar[str] = 'text'


@dataclass
class Table:
    """A table; what is no text is a number and stands to the right.

    Attributes:
        caption (str): Stands above it.
        columns (list[str]): Headings.
        rows (list): A cell a column; None stands for what is not known.
    """
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    kind: ClassVar[str] = 'table'

    @property
    def wide(self) -> bool:
        """Whether a phone has no room for its columns side by side."""
        return sum(map(len, self.columns)) > _HEADINGS or any(
            len(row) > 2 and len(cell) > _LONG
            for row in self.rows for cell in row if isinstance(cell, str))


@dataclass
class Matrix:
    """A confusion matrix in per cent of each line.

    Attributes:
        caption (str): Stands above it.
        columns (list[str]): Headings, of the lines as well, which are fewer.
        rows (list): Numbers, a line a true class; None for a class without
            pixels.
    """
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    kind: ClassVar[str] = 'matrix'


@dataclass
class Chart:
    """A drawing.

    Attributes:
        caption (str): Stands below it, and is read to who does not see it.
        svg (str): The drawing.
        table (Table): Its numbers.
    """
    caption: str
    svg: str
    table: Table
    kind: ClassVar[str] = 'chart'


@dataclass
class Code:
    """Text of a file, folded.

    Attributes:
        caption (str): What it is.
        text (str): Its lines.
    """
    caption: str
    text: str
    kind: ClassVar[str] = 'code'


@dataclass
class Pictures:
    """Small pictures with lines of text.

    Attributes:
        items (list): Picture as a data URI, what it shows, and lines below.
    """
    items: Sequence[Tuple[str, str, Sequence[str]]]
    kind: ClassVar[str] = 'pictures'


@dataclass
class Section:
    """A part of the page with a heading.

    Attributes:
        title (str): The heading.
        blocks (list): Of the kinds above.
        folded (bool): Whether it opens with a click. Defaults to False.
    """
    title: str
    blocks: List[Any]
    folded: bool = False


@dataclass
class Gallery:
    """The photos of a report.

    Attributes:
        classes (list[str]): Names of all classes, 'background' first.
        palette (list): Their RGB colours, 0..255.
        parts (list[str]): Whose masks there are.
        photos (list[dict]): ``name``, ``photo``, ``truth`` and ``maps``, as
            data URIs, ``labels``, ``doubt``, and by part ``masks``.
        failures (dict): Name of a failure -> when a photo has it.
        note (str): What else is to be said. Defaults to ''.
        opening (int): Which of the parts is shown first. Defaults to 0.
    """
    classes: Sequence[str]
    palette: Sequence[Sequence[int]]
    parts: Sequence[str]
    photos: Sequence[Dict[str, Any]]
    failures: Dict[str, str]
    note: str = ''
    opening: int = 0

    @property
    def scored(self) -> bool:
        """Whether any photo has a true mask, and with it an IoU."""
        return any(photo.get('truth') for photo in self.photos)

    @property
    def data(self) -> Dict[str, Any]:
        """What the page's script reads."""
        return dict(classes=self.classes, palette=self.palette,
                    photos=self.photos)


@dataclass
class Report:
    """A page.

    Attributes:
        title (str): Its heading.
        summary (list): Name and value of what one looks at first.
        sections (list[Section]): In order.
        galleries (list[Gallery]): Photos, at most one for each set of
            classes.
        digest (str): Of all that it was made from.
    """
    title: str
    summary: Sequence[Tuple[str, str]]
    sections: Sequence[Section]
    galleries: Sequence[Gallery] = field(default_factory=list)
    digest: str = ''
