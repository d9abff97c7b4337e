"""Which label source reads a file that a person names."""
import os.path as osp
from colorsys import hsv_to_rgb
from typing import Dict, List, Sequence

from mmwsss.files.json_files import read_json
from mmwsss.problems import DataError
from mmwsss.registry import LABEL_SOURCES

from .class_names import check_class_names

_REMEDY = ('give a .csv, .tsv or .json table, a JSON file of COCO, or the '
           'folder of photos itself where it has a folder a class')


def find_label_source(path: str) -> Dict[str, object]:
    """Config of the label source that reads a file, by what it is.

    Args:
        path (str): The file; or a folder that has a folder a class.

    Raises:
        DataError: If it is not there, or no file of labels that names its
            classes.
    """
    if osp.isdir(path):
        return dict(type='FolderLabels')
    if not osp.isfile(path):
        raise DataError(f'labels {path}: no such file; {_REMEDY}')
    kind = osp.splitext(path)[1].lower()
    if kind not in ('.csv', '.tsv', '.json'):
        raise DataError(f'labels {path}: {kind or "no extension"} is no kind '
                        f'of label file that names its classes; {_REMEDY}')
    coco = False
    if kind == '.json':
        content = read_json(path)
        coco = isinstance(content, dict) and 'annotations' in content
    return dict(type='COCOLabels' if coco else 'TableLabels',
                file=osp.abspath(path))


def named_classes(label_source: Dict[str, object],
                  photos: str) -> List[str]:
    """The classes that labels name, sorted.

    Args:
        label_source (dict): Config, see :func:`find_label_source`.
        photos (str): The folder of photos.

    Raises:
        DataError: If the file cannot be read, names no class, or one that
            has no readable name.
    """
    found = LABEL_SOURCES.build(dict(label_source)).class_names(photos)
    place = label_source.get('file', photos)
    if not found:
        raise DataError(f'labels {place}: names no class; {_REMEDY}')
    check_class_names(sorted(found), f'labels {place}')
    if 'background' in found:
        raise DataError(
            f"labels {place}: 'background' is no class to tag photos "
            'with, it is what the classes leave; take it out')
    return sorted(found)


def class_colours(classes: Sequence[str]) -> List[List[int]]:
    """RGB colours that are told apart, black for the first.

    Hues lie a golden angle apart, so that neighbours differ most.

    Args:
        classes (Sequence[str]): Background first.

    Returns:
        list[list[int]]: Each [red, green, blue] in 0..255.
    """
    colours = [[0, 0, 0]]
    for i in range(len(classes) - 1):
        saturation, value = ((0.85, 0.95), (0.55, 0.95), (0.9, 0.6))[i % 3]
        rgb = hsv_to_rgb(i * 0.618034 % 1, saturation, value)
        colours.append([round(255 * part) for part in rgb])
    return colours
