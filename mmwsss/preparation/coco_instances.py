"""COCO's instance annotations: checked, and drawn as one mask an image."""
import os.path as osp
from dataclasses import dataclass, field
from functools import partial
from typing import Dict, List, Sequence, Set, Tuple, Union

import numpy as np

from mmwsss.files.coco_json import COCOFile, Id, read_coco
from mmwsss.files.image_lists import listed_name
from mmwsss.files.run_lengths import read_run_lengths
from mmwsss.problems import DataError, Problems, unknown_name

# Polygons, each (x, y, x, y, ...) in pixels; or the lengths of the runs of 0
# and 1 in turn, column by column.
Outline = Union[List[np.ndarray], List[int]]


@dataclass
class COCOImage:
    """An image of the annotations.

    Attributes:
        file_name (str): Name of the photo without its folder.
        size (tuple[int, int]): Height and width in pixels.
        labels (set[int]): Classes of its objects, 1..C.
        objects (list[tuple[int, Outline]]): Class 1..C and outline of each
            object that can be drawn.
    """
    file_name: str
    size: Tuple[int, int]
    labels: Set[int] = field(default_factory=set)
    objects: List[Tuple[int, Outline]] = field(default_factory=list)


def read_instances(path: str, classes: Sequence[str], problems: Problems,
                   skip_bad_outlines: bool = False) -> List[COCOImage]:
    """Read ``instances_*.json``; everything wrong becomes a problem.

    COCO's category ids have gaps; in rising order they are the classes 1..C.

    Args:
        path (str): The file.
        classes (Sequence[str]): The C class names, without background.
        problems (Problems): Where to note what is wrong.
        skip_bad_outlines (bool): Leave an object without a usable outline
            undrawn instead; it still counts as a label. Defaults to False.

    Returns:
        list[COCOImage]: By file name, those without objects included.

    Raises:
        DataError: If the file is no JSON, or lacks what COCO's have.
    """
    coco = read_coco(path, problems, sizes=True)
    class_of = _class_numbers(path, coco, classes, problems)
    images = _new_images(path, coco, problems)
    for entry in coco.annotations:
        image, number = images[entry.image], class_of.get(entry.category)
        if number is None:
            continue  # which is a problem already
        image.labels.add(number)
        if coco.images[entry.image].size is None:
            continue  # which is a problem already
        try:
            image.objects.append((number, _read_outline(entry.outline,
                                                        image.size)))
        except ValueError as error:
            if not skip_bad_outlines:
                problems.add(f'{entry.where}: {error} (--skip-bad-outlines '
                             'leaves such objects out of the mask)')
    return sorted(images.values(), key=lambda image: image.file_name)


def _new_images(path: str, coco: COCOFile,
                problems: Problems) -> Dict[Id, COCOImage]:
    """The images by id; each has a name of its own."""
    images: Dict[Id, COCOImage] = {}
    names: Dict[str, str] = {}
    for number, entry in coco.images.items():
        name = entry.file_name
        if name != osp.basename(name) or '\\' in name:
            problems.add(f'{path}: image {name}: a name without a folder is '
                         'needed')
        stem = listed_name(name)
        if names.get(stem) == name:
            problems.add(f'{path}: image {name} (id {number}) is listed a '
                         'second time, by its name')
        elif stem in names:
            problems.add(f'{path}: images {names[stem]} and {name} have one '
                         'name, which their masks would share; rename one')
        names.setdefault(stem, name)
        images[number] = COCOImage(name, entry.size or (0, 0))
    return images


def _class_numbers(path: str, coco: COCOFile, classes: Sequence[str],
                   problems: Problems) -> Dict[Id, int]:
    """Category id -> class 1..C."""
    numbers = [number for number in coco.categories
               if not isinstance(number, str)]
    if len(numbers) < len(coco.categories):
        problems.add(f'{path}: ids of categories in quotes; write them as '
                     'numbers, their order is that of the classes')
    numbers.sort()
    names = [coco.categories[number] for number in numbers]
    for number, name in zip(numbers, names):
        if name not in classes:
            problems.add(partial(_unknown_category, path, number, name,
                                 classes))
    if set(names) <= set(classes) and names != list(classes):
        problems.add(f'{path}: {len(names)} categories, which are not the '
                     f"data set's {len(classes)} classes in their order")
    return {number: index for index, number in enumerate(numbers, start=1)}


def _unknown_category(path: str, number: Id, name: str,
                      classes: Sequence[str]) -> str:
    return (f'{path}: category id {number}: '
            f'{unknown_name("class", name, classes)}')


def _read_outline(outline: object, size: Tuple[int, int]) -> Outline:
    """A checked ``segmentation``; pycocotools checks little of it.

    Raises:
        ValueError: If it cannot be drawn.
    """
    if isinstance(outline, list) and outline:
        return [_read_polygon(points, size) for points in outline]
    if not isinstance(outline, dict):
        raise ValueError('neither polygons nor run lengths (RLE)')
    return read_run_lengths(outline, size)


def _read_polygon(points: object, size: Tuple[int, int]) -> np.ndarray:
    # pycocotools would take four numbers for a box.
    count = len(points) if isinstance(points, list) else 1
    if count < 6 or count % 2:
        raise ValueError(f'a polygon of {count} coordinates, three points '
                         'have 6')
    try:  # an array has a quarter of the memory
        points = np.asarray(points, dtype=np.float64)
        if points.ndim != 1:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise ValueError('a polygon with coordinates that are no '
                         'numbers') from None
    far = 2 * max(size)  # annotators do leave the image a little
    if not (np.abs(points) <= far).all():  # nor is NaN
        raise ValueError('a polygon with coordinates far outside of the image')
    return points


def draw_mask(image: COCOImage) -> np.ndarray:
    """Draw the objects of an image as one mask.

    Large objects are drawn first, so that small ones lie on top of them, as a
    cup on a table. Crowd regions are objects like the others.

    Args:
        image (COCOImage): From :func:`read_instances`.

    Returns:
        np.ndarray: 0 background, 1..C, uint8, (H, W).
    """
    from pycocotools import mask as mask_api
    regions = []
    for number, outline in image.objects:
        if isinstance(outline[0], np.ndarray):
            region = mask_api.merge(
                mask_api.frPyObjects(outline, *image.size))
        else:
            region = mask_api.frPyObjects(
                dict(size=image.size, counts=outline), *image.size)
        regions.append((mask_api.area(region), number, region))
    mask = np.zeros(image.size, dtype=np.uint8)
    for _, number, region in sorted(regions, key=lambda one: -int(one[0])):
        mask[mask_api.decode(region) == 1] = number
    return mask


def require_pycocotools() -> None:
    """Raise a :class:`DataError` that says how to get pycocotools."""
    try:
        import pycocotools.mask  # noqa: F401
    except ImportError as error:
        raise DataError('drawing COCO masks needs pycocotools: pip install '
                        '-r requirements/coco.txt') from error
