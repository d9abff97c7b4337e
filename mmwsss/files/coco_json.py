"""COCO's JSON of images, categories and annotations, checked in one place."""
import math
import reprlib
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from mmwsss.problems import DataError, Problems

from .json_files import read_json

Id = Union[int, str]
# As many as Pillow opens (twice its MAX_IMAGE_PIXELS) before it sees a bomb.
MOST_PIXELS = 178956970


@dataclass(frozen=True)
class COCOEntry:
    """An image of the file.

    Attributes:
        file_name (str): As it stands there, perhaps with a folder.
        size (tuple[int, int], optional): Height and width in pixels; None
            where they are wrong or not asked for.
    """
    file_name: str
    size: Optional[Tuple[int, int]] = None


@dataclass(frozen=True)
class COCOAnnotation:
    """An object of the file.

    Attributes:
        where (str): File and annotation, for messages.
        image (int | str): Id of its image, which is there.
        category (int | str): Id of its category, which is there.
        outline (Any): Its ``segmentation`` as it stands there, unchecked.
    """
    where: str
    image: Id
    category: Id
    outline: Any


@dataclass
class COCOFile:
    """The entries of a file.

    Attributes:
        images (dict[int | str, COCOEntry]): By id.
        categories (dict[int | str, str]): Names by id.
        annotations (list[COCOAnnotation]): Those whose image and category
            are there.
    """
    images: Dict[Id, COCOEntry] = field(default_factory=dict)
    categories: Dict[Id, str] = field(default_factory=dict)
    annotations: List[COCOAnnotation] = field(default_factory=list)


def read_coco(path: str, problems: Problems, sizes: bool = False) -> COCOFile:
    """Read ``instances_*.json``; everything wrong becomes a problem.

    Args:
        path (str): The file.
        problems (Problems): Where to note missing keys, ids that name
            nothing or are listed twice, and values of a wrong type.
        sizes (bool): Whether the images' height and width are needed.
            Defaults to False.

    Returns:
        COCOFile: The entries that can be told apart.

    Raises:
        DataError: If the file is no JSON, or lacks what COCO's have.
    """
    content = read_json(path)
    lists = []
    for key in ('images', 'annotations', 'categories'):
        if not isinstance(content, dict) or key not in content:
            raise DataError(f'{path}: no {key!r}; this is not a COCO '
                            'instances file')
        if not isinstance(content[key], list):
            raise DataError(f'{path}: {key!r} is not a list; this is not a '
                            'COCO instances file')
        lists.append(content[key])
    images, annotations, categories = lists
    coco = COCOFile()
    for number, entry in enumerate(categories, start=1):
        where = f'{path}: category {number}'
        if _has(entry, ('id', 'name'), where, problems):
            name = _text(entry, 'name', where, problems)
            if _is_new(entry, 'category', coco.categories, name or '', where,
                       problems) and name is not None:
                coco.categories[entry['id']] = name
    for number, entry in enumerate(images, start=1):
        _add_image(coco, entry, f'{path}: image {number}', sizes, problems)
    for number, entry in enumerate(annotations, start=1):
        _add_annotation(coco, entry, path, number, problems)
    return coco


def _has(entry: Any, keys: Sequence[str], where: str,
         problems: Problems) -> bool:
    """Whether an entry has all keys; those it lacks become a problem."""
    if not isinstance(entry, dict):
        problems.add(f'{where}: {_show(entry)} is not an object {{...}} as '
                     'COCO has it')
        return False
    missing = [repr(key) for key in keys if key not in entry]
    if missing:
        problems.add(f'{where}: no {", ".join(missing)}')
    return not missing


def _text(entry: dict, key: str, where: str,
          problems: Problems) -> Optional[str]:
    """A name that can be written; None, and a problem, if it is none."""
    value = entry[key]
    if isinstance(value, str) and value.strip():
        # Half a character of UTF-16, or the end of a C string.
        if not any('\ud800' <= char <= '\udfff' or char == '\0'
                   for char in value):
            return value
    problems.add(f'{where}: {key} {_show(value)} is not a name')
    return None


def _is_new(entry: dict, kind: str, known: Dict[Id, Any], name: str,
            where: str, problems: Problems) -> bool:
    """Whether an entry has an id of its own."""
    number = entry['id']
    if not _is_id(number):
        problems.add(f'{where}: id {_show(number)} is not a number')
    elif number in known:
        problems.add(f'{where.rpartition(": ")[0]}: {kind} {name} (id '
                     f'{number}) is listed a second time, by its id')
    else:
        return True
    return False


def _is_id(value: Any) -> bool:
    if isinstance(value, float):
        return value.is_integer()  # some tools write 3.0; Python finds 3
    return isinstance(value, (int, str)) and not isinstance(value, bool)


def _show(value: Any) -> str:
    return reprlib.repr(value)


def _add_image(coco: COCOFile, entry: Any, where: str, sizes: bool,
               problems: Problems) -> None:
    if not _has(entry, ('id', 'file_name'), where, problems):
        return
    name = _text(entry, 'file_name', where, problems)
    if name is None or not _is_new(entry, 'image', coco.images, name, where,
                                   problems):
        return
    size = None
    if sizes:
        where = f'{where.rpartition(": ")[0]}: image {name}'
        if _has(entry, ('height', 'width'), where, problems):
            size = read_size(entry['height'], entry['width'])
            if size is None:
                problems.add(
                    f'{where}: height {_show(entry["height"])} and width '
                    f'{_show(entry["width"])} are not those of a photo '
                    f'(whole numbers, at most {MOST_PIXELS} pixels)')
    coco.images[entry['id']] = COCOEntry(name, size)


def read_size(*sides: Any) -> Optional[Tuple[int, int]]:
    """Height and width that stand in a file.

    Args:
        *sides: What stands there for them.

    Returns:
        tuple[int, int], optional: None if they are not those of a photo:
        whole numbers, at most ``MOST_PIXELS`` pixels.
    """
    for side in sides:
        if isinstance(side, bool) or not isinstance(side, (int, float)):
            return None
        if not math.isfinite(side) or side != int(side) or side < 1:
            return None
    height, width = map(int, sides)
    return (height, width) if height * width <= MOST_PIXELS else None


def _add_annotation(coco: COCOFile, entry: Any, path: str, number: int,
                    problems: Problems) -> None:
    where = f'{path}: annotation {number}'
    if not _has(entry, ('image_id', 'category_id'), where, problems):
        return
    if 'id' in entry:  # else it is named by its place in the list
        where = f'{path}: annotation {_show(entry["id"])}'
    image = entry['image_id']
    if not _is_id(image) or image not in coco.images:
        problems.add(f'{where}: image id {_show(image)} is not among the '
                     f'images{_other_type(image, coco.images)}')
        return
    if 'id' in entry:
        where += f' of {coco.images[image].file_name}'
    category = entry['category_id']
    if not _is_id(category) or category not in coco.categories:
        problems.add(f'{where}: category id {_show(category)} is not among '
                     f'the categories{_other_type(category, coco.categories)}')
        return
    coco.annotations.append(COCOAnnotation(where, image, category,
                                           entry.get('segmentation')))


def _other_type(value: Any, known: Dict[Id, Any]) -> str:
    """What to say where "3" stands for 3, or 3 for "3"."""
    if isinstance(value, str) and value.isdecimal() and (
            len(value) < 20 and int(value) in known):
        return f' (there is {int(value)}: write it without quotes)'
    if not isinstance(value, str) and str(value)[:20] in known:
        return f' (there is {str(value)!r}: write it in quotes)'
    return ''
