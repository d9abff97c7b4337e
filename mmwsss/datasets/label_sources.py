"""Where image-level labels come from.

A label source turns a list of images into a multi-hot matrix. It checks
everything before it returns, and reports all problems of a file together.
"""
import csv
import os.path as osp
import xml.etree.ElementTree as ElementTree
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from typing import Dict, Iterator, List, Optional, Sequence, Set, Tuple, Union

import numpy as np

from mmwsss.files.json_files import read_json
from mmwsss.files.masks import read_mask
from mmwsss.files.photos import image_name
from mmwsss.files.safe_npy import load_npy_dict
from mmwsss.problems import DataError, Problems, unknown_name
from mmwsss.registry import LABEL_SOURCES

# (name of the image, names of its classes, where this was written)
Row = Tuple[str, Sequence[str], str]


class LabelSource(ABC):
    """Base of the label sources.

    Args:
        allow_empty (bool): Whether an image may have no class at all.
            Defaults to False.
    """

    def __init__(self, allow_empty: bool = False) -> None:
        self.allow_empty = allow_empty
        # Name and place of labels for no image of the last list loaded.
        self.without_photo: Dict[str, str] = {}

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
                problems.add(
                    f'{data_list[index]["img_path"]}: no class at all (remove '
                    'it from the list, or set allow_empty=True)')


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
        if name in classes:
            labels[classes.index(name)] = 1
        else:
            problems.add(f'{where}: {unknown_name("class", name, classes)}')
    return labels


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

    def load(self, data_list: List[dict], classes: Sequence[str],
             data_root: str) -> np.ndarray:
        path = osp.join(data_root or '', self.file)
        if not osp.isfile(path):
            raise DataError(f'label file {path}: no such file')
        problems = Problems(f'label file {path}')
        found: Dict[str, np.ndarray] = {}
        first: Dict[str, str] = {}
        for image, names, where in self.rows(path, classes, problems):
            name = image_name(image)
            if name in found:
                problems.add(f'{where}: image {image!r} stands there a second '
                             f'time (first: {first[name]})')
                continue
            first[name] = where
            found[name] = multi_hot(names, classes, where, problems)
        labels = np.zeros((len(data_list), len(classes)), dtype=np.float32)
        known = np.ones(len(data_list), dtype=bool)
        for index, info in enumerate(data_list):
            name = image_name(info['img_path'])
            if name in found:
                labels[index] = found[name]
            else:
                known[index] = False
                problems.add(f'no labels for image {info["img_path"]}')
        photos = {image_name(info['img_path']) for info in data_list}
        self.without_photo = {name: where for name, where in first.items()
                              if name not in photos}
        if not problems.lines:
            self._check_empty(labels, data_list, problems)
        problems.raise_if_any()
        return labels


@LABEL_SOURCES.register_module()
class TableLabels(FileLabels):
    """A CSV or JSON table of ``image,labels``.

    CSV: a header line ``image,labels``; class names are separated by ``;``::

        image,labels
        beach.jpg,dog;person

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
        with open(path, newline='', encoding='utf-8-sig') as file:
            reader = csv.reader(file)
            header = [name.strip() for name in next(reader, [])]
            if header != ['image', 'labels']:
                raise DataError(f'{path} line 1: expected the header '
                                f"'image,labels', got {','.join(header)!r}")
            for row in reader:
                where = f'{path} line {reader.line_num}'
                if not row:
                    continue
                if len(row) != 2:
                    problems.add(f'{where}: expected 2 fields, got {len(row)} '
                                 "(separate class names by ';')")
                    continue
                names = [n.strip() for n in row[1].split(';') if n.strip()]
                yield row[0].strip(), names, where

    @staticmethod
    def _json_rows(path: str, problems: Problems) -> Iterator[Row]:
        # A JSON object silently keeps the last of two equal keys, so the
        # pairs are taken as they stand in the file.
        content = read_json(path, object_pairs_hook=list)
        if content and isinstance(content[0], tuple):
            entries = content
        else:
            entries = [(dict(e).get('image'), dict(e).get('labels'))
                       for e in content]
        for number, (image, names) in enumerate(entries, start=1):
            where = f'{path} entry {number}'
            if not isinstance(image, str) or not isinstance(names, list):
                problems.add(f'{where}: expected an image name and a list of '
                             'class names')
                continue
            yield image, names, where


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
        content = read_json(path)
        for key in ('images', 'annotations', 'categories'):
            if not isinstance(content, dict) or key not in content:
                raise DataError(f'{path}: no {key!r}; this is not a COCO '
                                'instances file')
        names = {c['id']: c['name'] for c in content['categories']}
        present: Dict[int, Set[str]] = {}
        for number, annotation in enumerate(content['annotations'], start=1):
            name = names.get(annotation['category_id'])
            if name is None:
                problems.add(
                    f'{path} annotation {number}: category id '
                    f'{annotation["category_id"]} is not among the categories')
                continue
            present.setdefault(annotation['image_id'], set()).add(name)
        for image in content['images']:
            yield (image['file_name'], sorted(present.get(image['id'], ())),
                   f'{path} image {image["file_name"]}')


@LABEL_SOURCES.register_module()
class NpyLabels(FileLabels):
    """The field's ``cls_labels.npy``: {image id: multi-hot vector (C,)}.

    The file is a pickle; it is read without the power to run code, see
    :func:`mmwsss.files.safe_npy.load_npy_dict`.

    Args:
        file (str): See :class:`FileLabels`.
        allow_empty (bool): See :class:`LabelSource`.
    """

    def rows(self, path: str, classes: Sequence[str],
             problems: Problems) -> Iterator[Row]:
        for image, vector in load_npy_dict(path).items():
            where = f'{path} entry {image!r}'
            vector = np.asarray(vector)
            if vector.shape != (len(classes), ):
                problems.add(f'{where}: shape {vector.shape}, but the data '
                             f'set has {len(classes)} classes')
                continue
            if not np.isin(vector, (0, 1)).all():
                problems.add(f'{where}: values other than 0 and 1')
                continue
            yield (str(image), [classes[i] for i in
                                np.flatnonzero(vector).tolist()], where)


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
        labels = np.zeros((len(data_list), len(classes)), dtype=np.float32)
        for row, info in zip(labels, data_list):
            path = osp.join(folder, image_name(info['img_path']) + '.xml')
            try:
                objects = ElementTree.parse(path).getroot().iter('object')
            except (OSError, ElementTree.ParseError) as error:
                problems.add(f'{path}: cannot be read ({error})')
                continue
            names = [
                obj.findtext('name', '').strip() for obj in objects
                if self.use_difficult or obj.findtext('difficult') != '1'
            ]
            row[:] = multi_hot(names, classes, path, problems)
        if not problems.lines:
            self._check_empty(labels, data_list, problems)
        problems.raise_if_any()
        return labels


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
        paths = [info.get('seg_map_path') for info in data_list]
        with ThreadPoolExecutor(self.num_threads) as pool:
            for row, path, values in zip(labels, paths,
                                         pool.map(_mask_values, paths)):
                if isinstance(values, str):
                    problems.add(values)
                    continue
                values = values[(values > 0) & (values < 255)]
                if len(values) and values.max() > len(classes):
                    problems.add(
                        f'{path}: mask value {values.max()}, but the data set '
                        f'has {len(classes)} classes (1..{len(classes)})')
                    continue
                row[values - 1] = 1
        if not problems.lines:
            self._check_empty(labels, data_list, problems)
        problems.raise_if_any()
        return labels


def _mask_values(path: Optional[str]) -> Union[np.ndarray, str]:
    """The values in a mask, or a line that says why it cannot be read."""
    if path is None:
        return 'MaskLabels needs data_prefix.seg_map_path'
    try:
        return np.unique(read_mask(path)).astype(np.int64)
    except DataError as error:
        return str(error)
