"""Small XML files, such as PASCAL VOC's annotations, from anywhere."""
import os
from itertools import count
from typing import Dict, List
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from mmwsss.problems import DataError

# VOC's annotations have some kilobytes and three levels.
_MOST_BYTES = 8 << 20
_MOST_LEVELS = 100
_MOST_ELEMENTS = 100_000
_MOST_ATTRIBUTES = 1000  # of an element


def read_xml(path: str) -> Element:
    """The content of an XML file.

    Entities are refused where a file defines them: a kilobyte of such
    definitions can stand for gigabytes of text.

    Args:
        path (str): The file.

    Returns:
        Element: Its root.

    Raises:
        DataError: If it cannot be read, naming the file and the line.
    """
    builder = TreeBuilder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    open_tags: List[str] = []
    seen = count(1)

    def start(tag: str, attributes: Dict[str, str]) -> None:
        open_tags.append(tag)
        if len(open_tags) > _MOST_LEVELS:
            raise _RefusedError(f'elements {_MOST_LEVELS} levels deep; VOC '
                                'has three')
        if next(seen) > _MOST_ELEMENTS:
            raise _RefusedError(f'over {_MOST_ELEMENTS:,} elements; this is '
                                'no annotation of a photo')
        if len(attributes) > _MOST_ATTRIBUTES:
            raise _RefusedError(f'an element of {len(attributes):,} '
                                'attributes; VOC has none')
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        open_tags.pop()
        builder.end(tag)

    def entity(name: str, *definition: object) -> None:
        raise _RefusedError(f'it defines the entity {name!r}; write what it '
                            'stands for instead')

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = entity
    try:
        if os.path.getsize(path) > _MOST_BYTES:
            raise DataError(f'{path}: over {_MOST_BYTES >> 20} MiB; this is '
                            'no annotation of a photo')
        with open(path, 'rb') as file:
            parser.Parse(file.read(), True)
        return builder.close()
    except OSError as error:
        raise DataError(f'{path}: cannot be read ({error.strerror})'
                        ) from error
    except expat.ExpatError as error:
        raise DataError(f'{path} line {error.lineno}: not valid XML '
                        f'({expat.errors.messages[error.code]})') from error
    except _RefusedError as error:
        raise DataError(f'{path} line {parser.CurrentLineNumber}: {error}'
                        ) from error
    except (ValueError, LookupError) as error:
        # Its declaration names an encoding of several bytes a character,
        # such as gb2312, or one that nobody knows.
        raise DataError(
            f'{path} line 1: its encoding cannot be read ({error}); save it '
            "as UTF-8, e.g. with 'iconv -f GB2312 -t UTF-8', and write "
            'encoding="UTF-8" in its first line') from error


class _RefusedError(Exception):
    """What no annotation holds."""
