"""Where image-level labels come from.

A label source turns a list of images into a multi-hot matrix. It checks
everything before it returns, and reports all problems of a file together.
"""
import difflib
import os
import os.path as osp
import re
import reprlib
import unicodedata
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from glob import escape, glob
from typing import (
    AbstractSet,
    Any,
    Dict,
    Iterator,
    List,
    Optional,
    Sequence,
    Set,
    Tuple,
    Union,
)

import numpy as np

from mmwsss.files.coco_json import read_coco
from mmwsss.files.csv_files import field_delimiter, read_csv
from mmwsss.files.image_lists import (
    PICTURE_EXTENSIONS,
    existing_form,
    file_name,
    listed_name,
)
from mmwsss.files.json_files import read_json
from mmwsss.files.masks import MaskClasses, pixel_counts, read_mask
from mmwsss.files.photos import image_name
from mmwsss.files.safe_npy import load_npy_dict
from mmwsss.files.xml_files import read_xml
from mmwsss.problems import DataError, Problems, unknown_name
from mmwsss.registry import LABEL_SOURCES

# (name or number of the image, names of its classes, where this was written)
Row = Tuple[Union[str, int], Sequence[str], str]


# Names that are compared with that of a photo without labels; more take long.
_MOST_NAMES = 1000
_HINTS = 5
_HINTED = 20  # photos without labels for which a misspelt one is looked for

# What the columns of other tables are called.
_NAMES_OF_IMAGES = ('file', 'filename', 'file name', 'file_name', 'id',
                    'image', 'image_id', 'image_name', 'img', 'name', 'path',
                    'photo', 'picture')


class LabelSource(ABC):
    """Base of the label sources.

    Args:
        allow_empty (bool): Whether an image may have no class at all.
            Defaults to False.
    """

    def __init__(self, allow_empty: bool = False) -> None:
        self.allow_empty = allow_empty
        # Photos of the folder that are not in the list, where a row for a
        # photo that is in neither is a mistake; None where it is not.
        self.left_out: Optional[AbstractSet[str]] = None

    @abstractmethod
    def load(self, data_list: List[dict], classes: Sequence[str],
             data_root: str) -> np.ndarray:
        """Labels of the images in ``data_list``.

        Args:
            data_list (list[dict]): Data infos with ``img_path`` and, if the
                data set has masks, ``seg_map_path``.
            classes (Sequence[str]): The C foreground classes.
            data_root (str): Where relative file names start.

        Returns:
            np.ndarray: float32 multi-hot labels, (len(data_list), C).

        Raises:
            DataError: With every problem found.
        """

    def _check_empty(self, labels: np.ndarray, data_list: List[dict],
                     problems: Problems) -> None:
        if not self.allow_empty:
            for index in np.flatnonzero(labels.sum(1) == 0):
                photo = data_list[index]['img_path']
                problems.add(f'{photo}: no class at all (remove it from the '
                             'list, or set allow_empty=True)', 'empty',
                             file_name(photo))


def multi_hot(names: Sequence[str], classes: Sequence[str], where: str,
              problems: Problems) -> np.ndarray:
    """Labels of one image.

    Args:
        names (Sequence[str]): The classes in the image.
        classes (Sequence[str]): The C foreground classes.
        where (str): Where the names were written, for the report.
        problems (Problems): Where to note names that are no class.

    Returns:
        np.ndarray: Multi-hot, float32, (C,).
    """
    labels = np.zeros(len(classes), dtype=np.float32)
    for name in names:
        if name not in classes:  # accents may be stored in another form
            name = unicodedata.normalize('NFC', name)
        if name in classes:
            labels[classes.index(name)] = 1
        else:
            problems.add(partial(_unknown_class, where, name, classes),
                         ('class', name), _short(where))
    return labels


def _short(where: str) -> str:
    """A place without the file that it is in, as the line before names it."""
    return re.sub(r'^.*(?= (?:line|entry) )|^.*/', '', where).strip()


def _unknown_class(where: str, name: str, classes: Sequence[str]) -> str:
    return f'{where}: {unknown_name("class", name, classes)}'


class _Images:
    """The images of a data set by whatever a label file calls them.

    Args:
        data_list (list[dict]): Data infos with ``img_path``.
    """

    def __init__(self, data_list: List[dict]) -> None:
        self.places: Dict[Union[str, int], int] = {}
        paths = [info['img_path'] for info in data_list]
        # What is said in full comes before what is left out.
        for name_of in (file_name, image_name, listed_name, _number):
            for place, path in enumerate(paths):
                name = name_of(path)
                if isinstance(name, str):
                    name = unicodedata.normalize('NFC', name)
                if name is not None:
                    self.places.setdefault(name, place)

    def key(self, image: Union[str, int]) -> Union[str, int]:
        """One key for all that an image may be called.

        Args:
            image (str | int): Its name, or its number.

        Returns:
            str | int: Its place in the data list, if it is there.
        """
        if not isinstance(image, str):
            return self.places.get(str(image), self.places.get(
                image, str(image)))
        for name in (file_name(image), listed_name(image)):
            if name in self.places:
                return self.places[name]
        return listed_name(image)


def _number(path: str) -> Optional[int]:
    """The number that the field's labels have for an image id.

    2007000032 for VOC's 2007_000032, 9 for COCO's
    COCO_train2014_000000000009 or 000000000009; None for other names.
    """
    found = _NUMBERED.fullmatch(listed_name(path))
    return found and int(''.join(filter(None, found.groups())))


_NUMBERED = re.compile(r'([0-9]{4})_([0-9]{6})|'
                       r'(?:COCO_(?:train|val|test)2014_)?([0-9]{1,18})')


class FileLabels(LabelSource):
    """Base of the sources that keep the labels of all images in one file.

    Args:
        file (str): Path of the file, absolute or under ``data_root``.
        allow_empty (bool): See :class:`LabelSource`.
    """

    def __init__(self, file: str, allow_empty: bool = False) -> None:
        super().__init__(allow_empty)
        self.file = file

    @abstractmethod
    def rows(self, path: str, classes: Sequence[str],
             problems: Problems) -> Iterator[Row]:
        """Read the file; note what is wrong with it in ``problems``.

        Args:
            path (str): The file.
            classes (Sequence[str]): The C foreground classes.
            problems (Problems): Where to note what is wrong.

        Yields:
            Row: Name of an image, its classes, and where this was written.
        """

    def class_names(self, photos: str) -> Set[str]:
        """All classes that the file names; ``file`` is an absolute path.

        Args:
            photos (str): The folder of photos, not used.

        Raises:
            DataError: With all that is wrong with the file.
        """
        problems = Problems(f'label file {self.file}')
        found: Set[str] = set()
        for _, names, _ in self.rows(self.file, (), problems):
            found.update(unicodedata.normalize('NFC', name) for name in names)
        problems.raise_if_any()
        return found

    def load(self, data_list: List[dict], classes: Sequence[str],
             data_root: str) -> np.ndarray:
        path = osp.join(data_root or '', self.file)
        if not osp.isfile(path):
            raise DataError(f'label file {path}: no such file')
        problems = Problems(f'label file {path}')
        images = _Images(data_list)
        classes = [unicodedata.normalize('NFC', name) for name in classes]
        labels = np.zeros((len(data_list), len(classes)), dtype=np.float32)
        first: Dict[Union[str, int], str] = {}
        absent: Dict[str, str] = {}  # what the file calls photos of no place
        for image, names, where in self.rows(path, classes, problems):
            key = images.key(image)
            if key in first:
                problems.add(f'{where}: image {image!r} stands there a second '
                             f'time (first: {first[key]})', 'twice',
                             _short(where))
                continue
            first[key] = where
            row = multi_hot(names, classes, where, problems)
            if isinstance(key, int):
                labels[key] = row
            else:
                absent[key] = str(image)
        self._check_photos(path, [
            info['img_path'] for place, info in enumerate(data_list)
            if place not in first], {
                key: (first[key], name) for key, name in absent.items()},
                           problems)
        if not problems.lines:
            self._check_empty(labels, data_list, problems)
        problems.raise_if_any()
        return labels

    def _check_photos(self, path: str, unlabelled: Sequence[str],
                      absent: Dict[str, Tuple[str, str]],
                      problems: Problems) -> None:
        """Note photos without a row, and rows without a photo.

        Args:
            path (str): The file.
            unlabelled (Sequence[str]): Photos without labels.
            absent (dict): Key of what is no photo of the list -> place in
                the file, and what is written there.
            problems (Problems): Where to note them.
        """
        absent = dict(absent)
        for number, photo in enumerate(unlabelled):
            meant = _misspelt(photo, absent) if number < _HINTED else None
            if meant is None:
                problems.add(f'{path}: no labels for image {photo}; add them, '
                             'or take the photo out', 'unlabelled',
                             file_name(photo))
                continue
            end = osp.splitext(photo)[1]
            problems.add(f'{absent.pop(meant)[0]}: no photo {meant + end!r} '
                         f'(did you mean {file_name(photo)!r}, which has no '
                         'labels?)')
        if self.left_out is None:
            return
        for key, (where, name) in absent.items():
            if key not in self.left_out:
                problems.add(f'{where}: no photo {name!r} in the folder; put '
                             'it there or take the line out', 'absent',
                             f'{_short(where)} ({name!r})')


def _misspelt(photo: str,
              absent: Dict[str, Tuple[str, str]]) -> Optional[str]:
    """The key of a row that was perhaps meant for a photo without labels."""
    if len(absent) > _MOST_NAMES:
        return None
    for other in difflib.get_close_matches(image_name(photo), absent, n=_HINTS,
                                           cutoff=0.75):
        # Another list may have the photo of that row.
        if not glob(f'{escape(osp.join(osp.dirname(photo), other))}.*'):
            return other
    return None


@LABEL_SOURCES.register_module()
class TableLabels(FileLabels):
    """A CSV or JSON table of ``image,labels``.

    CSV: a header line ``image,labels``; class names are separated by ``;``::

        image,labels
        beach.jpg,dog;person

    The header may be in any case. Excel's tables with ``;`` or tabs between
    the fields (``.tsv``) are read as well.

    JSON: ``{"beach.jpg": ["dog", "person"], ...}`` or a list of
    ``{"image": "beach.jpg", "labels": ["dog", "person"]}``.

    The extension of the image name may be left out.

    Args:
        file (str): See :class:`FileLabels`.
        allow_empty (bool): See :class:`LabelSource`.
    """

    def rows(self, path: str, classes: Sequence[str],
             problems: Problems) -> Iterator[Row]:
        if path.lower().endswith('.json'):
            yield from self._json_rows(path, problems)
        else:
            yield from self._csv_rows(path, problems)

    @staticmethod
    def _csv_rows(path: str, problems: Problems) -> Iterator[Row]:
        delimiter = field_delimiter(path)
        rows = read_csv(path, problems, delimiter)
        where, header = next(rows, (f'{path} line 1', []))
        if header[:1] == ['sep='] and delimiter == ';':  # Excel's own line
            where, header = next(rows, (where, []))
        columns = _filled(header)
        if [name.casefold() for name in columns] != ['image', 'labels']:
            raise DataError(f"{where}: expected the header 'image,labels', "
                            f'got {reprlib.repr(delimiter.join(header))}; '
                            f'{_header_remedy(columns)}')
        for where, row in rows:
            row = _filled(row)
            if delimiter == ';':  # each class may be a field of its own
                row[1:] = [';'.join(row[1:])]
            if len(row) != 2:
                problems.add(f'{where}: expected 2 fields, got {len(row)} '
                             "(separate class names by ';')", 'fields',
                             _short(where))
            elif not row[0]:
                problems.add(f'{where}: no image name; write the name of the '
                             'photo in the first field', 'name',
                             _short(where))
            elif ',' in row[1]:
                problems.add(f'{where}: a comma in {reprlib.repr(row[1])} '
                             "(separate class names by ';')", 'comma',
                             _short(where))
            else:
                yield row[0], [name.strip() for name in row[1].split(';')
                               if name.strip()], where

    @staticmethod
    def _json_rows(path: str, problems: Problems) -> Iterator[Row]:
        # A JSON object silently keeps the last of two equal keys, so the
        # pairs are taken as they stand in the file.
        content = read_json(path, object_pairs_hook=_Pairs)
        if not isinstance(content, list):
            raise DataError(f'{path}: expected {{"beach.jpg": ["dog"]}} or '
                            '[{"image": "beach.jpg", "labels": ["dog"]}], got '
                            f'{reprlib.repr(content)}')
        for number, entry in enumerate(content, start=1):
            where = f'{path} entry {number}'
            if not isinstance(content, _Pairs):
                if not isinstance(entry, _Pairs):
                    problems.add(f'{where}: {reprlib.repr(entry)}, expected '
                                 '{"image": "beach.jpg", "labels": ["dog"]}',
                                 'entry', _short(where))
                    continue
                values = dict(entry)
                entry = values.get('image'), values.get('labels')
            image, names = entry
            if not isinstance(image, str) or not image.strip() or not (
                    isinstance(names, list) and not isinstance(names, _Pairs)):
                problems.add(f'{where}: expected an image name and a list of '
                             f'class names, got {reprlib.repr(image)} and '
                             f'{reprlib.repr(names)}; write {{"image": '
                             '"beach.jpg", "labels": ["dog"]}', 'values',
                             _short(where))
            elif not all(isinstance(name, str) for name in names):
                problems.add(f'{where}: {reprlib.repr(names)} for {image!r}, '
                             'expected names of classes, in quotes',
                             'names', _short(where))
            else:
                yield image.strip(), [name.strip() for name in names], where


def _header_remedy(columns: Sequence[str]) -> str:
    """How to write a table whose first line is another one.

    Args:
        columns (Sequence[str]): The fields of that line.
    """
    write = "write 'image,labels' in the first line"
    if not any(columns):
        return f"{write}, and below it a line a photo, 'beach.jpg,dog;person'"
    first = columns[0].casefold()
    if osp.splitext(first)[1] in PICTURE_EXTENSIONS:
        return f'{write}, above this one'
    if len(columns) > 2 and first in (*_NAMES_OF_IMAGES, ''):
        return (f'a column a class is not read: {write}, and name the classes '
                "of each photo in its second field, 'beach.jpg,dog;person'")
    return f"{write}, instead of {reprlib.repr(','.join(columns))}"


def _filled(row: Sequence[str]) -> List[str]:
    """A row without the empty fields at its end, two fields at least.

    A sheet gives all rows the length of its longest one.
    """
    length = max(2, *(i + 1 for i, field in enumerate(row) if field), 0)
    return list(row[:length])


class _Pairs(list):
    """A JSON object as its pairs, beside the lists of the file."""


@LABEL_SOURCES.register_module()
class COCOLabels(FileLabels):
    """Instance annotations of COCO: a class is present if it has a box.

    Crowd regions count, as in the field's COCO labels.

    Args:
        file (str): See :class:`FileLabels`.
        allow_empty (bool): See :class:`LabelSource`.
    """

    def rows(self, path: str, classes: Sequence[str],
             problems: Problems) -> Iterator[Row]:
        coco = read_coco(path, problems)
        present: Dict[Any, Dict[str, None]] = {key: {} for key in coco.images}
        for entry in coco.annotations:
            present[entry.image][coco.categories[entry.category]] = None
        for key, image in coco.images.items():
            yield (image.file_name, sorted(present[key]),
                   f'{path} image {image.file_name}')


@LABEL_SOURCES.register_module()
class NpyLabels(FileLabels):
    """The field's ``cls_labels.npy``: {image id: multi-hot vector (C,)}.

    IRN's and ReCAM's image ids are numbers: 2007000032 is VOC's 2007_000032,
    and 9 is COCO's 000000000009.

    The file is a pickle; it is read without the power to run code, see
    :func:`mmwsss.files.safe_npy.load_npy_dict`.

    Args:
        file (str): See :class:`FileLabels`.
        allow_empty (bool): See :class:`LabelSource`.
    """

    def rows(self, path: str, classes: Sequence[str],
             problems: Problems) -> Iterator[Row]:
        for image, vector in load_npy_dict(path).items():
            where = f'{path} entry {reprlib.repr(image)}'
            if isinstance(image, bytes):
                image = image.decode(errors='replace')
            elif isinstance(image, (int, np.integer)) and (
                    not isinstance(image, bool)):
                image = int(image)
            elif not isinstance(image, str):
                problems.add(f'{where}: neither the name nor the number of '
                             'an image', 'key', _short(where))
                continue
            try:
                vector = np.asarray(vector, dtype=np.float32)
            except (TypeError, ValueError, RuntimeError, OverflowError):
                problems.add(f'{where}: not a vector of numbers', 'vector',
                             _short(where))
                continue
            if vector.shape != (len(classes), ):
                problems.add(f'{where}: shape {vector.shape}, but the data '
                             f'set has {len(classes)} classes', 'shape',
                             _short(where))
                continue
            if not np.isin(vector, (0, 1)).all():
                problems.add(f'{where}: values other than 0 and 1', 'values',
                             _short(where))
                continue
            yield image, [classes[i] for i in
                          np.flatnonzero(vector).tolist()], where


@LABEL_SOURCES.register_module()
class VOCXMLLabels(LabelSource):
    """PASCAL VOC's ``Annotations/*.xml``: a class is present if it has a box.

    Args:
        folder (str): Folder of the XML files, absolute or under
            ``data_root``. Defaults to 'Annotations'.
        use_difficult (bool): Whether objects marked difficult count.
            Defaults to True, as in the field's ``cls_labels.npy``.
        allow_empty (bool): See :class:`LabelSource`.
    """

    def __init__(self, folder: str = 'Annotations', use_difficult: bool = True,
                 allow_empty: bool = False) -> None:
        super().__init__(allow_empty)
        self.folder = folder
        self.use_difficult = use_difficult

    def load(self, data_list: List[dict], classes: Sequence[str],
             data_root: str) -> np.ndarray:
        folder = osp.join(data_root or '', self.folder)
        problems = Problems(f'VOC annotations in {folder}')
        classes = [unicodedata.normalize('NFC', name) for name in classes]
        labels = np.zeros((len(data_list), len(classes)), dtype=np.float32)
        for row, info in zip(labels, data_list):
            path = existing_form(folder,
                                 image_name(info['img_path']) + '.xml')
            try:
                root = read_xml(path)
            except DataError as error:
                problems.add(str(error))
                continue
            if root.tag != 'annotation':
                problems.add(f'{path}: begins with <{root.tag}>, VOC\'s begin '
                             'with <annotation>')
                continue
            names = []
            for entry in root.iter('object'):
                difficult = entry.findtext('difficult', '').strip() or '0'
                if difficult not in ('0', '1'):
                    problems.add(f'{path}: difficult is {difficult!r}, '
                                 'expected 0 or 1')
                if self.use_difficult or difficult != '1':
                    names.append(entry.findtext('name', '').strip())
            row[:] = multi_hot(names, classes, path, problems)
        if not problems.lines:
            self._check_empty(labels, data_list, problems)
        problems.raise_if_any()
        return labels


@LABEL_SOURCES.register_module()
class FolderLabels(LabelSource):
    """A folder a class, as torchvision's ``ImageFolder`` has them.

    ``photos/dog/beach.jpg`` shows a dog: the class is the innermost folder of
    a photo that is named like one. For photos of several classes the folder
    has all names, ``photos/dog;person/party.jpg``.
    """

    def load(self, data_list: List[dict], classes: Sequence[str],
             data_root: str) -> np.ndarray:
        problems = Problems(f'photos in folders of {data_root!r}')
        classes = [unicodedata.normalize('NFC', name) for name in classes]
        labels = np.zeros((len(data_list), len(classes)), dtype=np.float32)
        for row, info in zip(labels, data_list):
            names = self._names(info['img_path'], classes)
            if not names and not self.allow_empty:
                folder = osp.basename(osp.dirname(info['img_path']))
                problems.add(partial(_unknown_class, info['img_path'], folder,
                                     classes), ('class', folder),
                             file_name(info['img_path']))
            row[[classes.index(name) for name in names]] = 1
        problems.raise_if_any()
        return labels

    def class_names(self, photos: str) -> Set[str]:
        """What the folders of a folder of photos are called.

        Args:
            photos (str): The folder of photos.
        """
        return {unicodedata.normalize('NFC', name.strip())
                for entry in os.scandir(photos)
                if entry.is_dir() and not entry.name.startswith('.')
                for name in entry.name.split(';')}

    @staticmethod
    def _names(path: str, classes: Sequence[str]) -> List[str]:
        folder = unicodedata.normalize('NFC', osp.dirname(path))
        for part in reversed(folder.replace('\\', '/').split('/')):
            names = [name.strip() for name in part.split(';')]
            if all(name in classes for name in names):
                return names
        return []


@LABEL_SOURCES.register_module()
class MaskLabels(LabelSource):
    """The masks themselves: a class is present if it has a pixel.

    For data sets whose masks are public anyway and for validation splits.
    Background (0) and ignored pixels (255) do not count.

    Args:
        allow_empty (bool): See :class:`LabelSource`.
        num_threads (int): Readers that work at the same time. Defaults to 4.
    """

    def __init__(self, allow_empty: bool = False,
                 num_threads: int = 4) -> None:
        super().__init__(allow_empty)
        self.num_threads = num_threads

    def load(self, data_list: List[dict], classes: Sequence[str],
             data_root: str) -> np.ndarray:
        problems = Problems('labels from masks')
        labels = np.zeros((len(data_list), len(classes)), dtype=np.float32)
        values = partial(_mask_values, len(classes) + 1)
        with ThreadPoolExecutor(self.num_threads) as pool:
            for row, present in zip(labels, pool.map(values, data_list)):
                if isinstance(present, str):
                    problems.add(present)
                    continue
                row[present[(present > 0) & (present < 255)] - 1] = 1
        if not problems.lines:
            self._check_empty(labels, data_list, problems)
        problems.raise_if_any()
        return labels


def _mask_values(count: int, info: dict) -> Union[np.ndarray, str]:
    """The classes in an image's mask, or a line that says what is wrong."""
    path = info.get('seg_map_path')
    if path is None:
        return 'MaskLabels needs data_prefix.seg_map_path'
    try:
        classes = MaskClasses(count, info.get('label_map'),
                              info.get('reduce_zero_label') or False)
        return np.flatnonzero(pixel_counts(read_mask(path, classes)))
    except DataError as error:
        return str(error)
