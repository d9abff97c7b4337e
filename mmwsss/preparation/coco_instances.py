"""COCO's instance annotations: checked, and drawn as one mask an image."""
import os.path as osp
from dataclasses import dataclass, field
from typing import Dict, List, Sequence, Set, Tuple, Union

import numpy as np

from mmwsss.files.json_files import read_json
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
    content = read_json(path)
    for key in ('images', 'annotations', 'categories'):
        if not isinstance(content, dict) or key not in content:
            problems.add(f'{path}: no {key!r}; this is not a COCO instances '
                         'file')
            return []
    try:
        class_of = _class_numbers(path, content['categories'], classes,
                                  problems)
        images = _read_images(path, content['images'], problems)
        for entry in content['annotations']:
            _add_object(path, entry, images, class_of, problems,
                        skip_bad_outlines)
    except (KeyError, TypeError) as error:
        raise DataError(f'{path}: an entry is not as COCO has it '
                        f'({type(error).__name__}: {error})') from error
    return sorted(images.values(), key=lambda image: image.file_name)


def _read_images(path: str, entries: List[dict],
                 problems: Problems) -> Dict[int, COCOImage]:
    """The images by id; each stands there once."""
    images: Dict[int, COCOImage] = {}
    names: Set[str] = set()
    for entry in entries:
        name, number = entry['file_name'], entry['id']
        if name != osp.basename(name):
            problems.add(f'{path}: image {name}: a name without a folder is '
                         'needed')
        for kind, known, key in (('id', images, number),
                                 ('name', names, name)):
            if key in known:
                problems.add(f'{path}: image {name} (id {number}) is listed a '
                             f'second time, by its {kind}')
        names.add(name)
        images.setdefault(number, COCOImage(
            name, (entry['height'], entry['width'])))
    return images


def _add_object(path: str, entry: dict, images: Dict[int, COCOImage],
                class_of: Dict[int, int], problems: Problems,
                skip_bad_outlines: bool) -> None:
    """Add an annotation to its image."""
    image = images.get(entry['image_id'])
    where = f'{path}: annotation {entry.get("id")}'
    if image is None:
        problems.add(f'{where}: image id {entry["image_id"]} is not among the '
                     'images')
        return
    where += f' of {image.file_name}'
    number = class_of.get(entry['category_id'])
    if number is None:
        problems.add(f'{where}: category id {entry["category_id"]} is not '
                     'among the categories')
        return
    image.labels.add(number)
    try:
        image.objects.append((number, _read_outline(
            entry.get('segmentation'), image.size)))
    except ValueError as error:
        if not skip_bad_outlines:
            problems.add(f'{where}: {error} (--skip-bad-outlines leaves such '
                         'objects out of the mask)')


def _class_numbers(path: str, categories: List[dict], classes: Sequence[str],
                   problems: Problems) -> Dict[int, int]:
    """Category id -> class 1..C."""
    categories = sorted(categories, key=lambda entry: entry['id'])
    names = [entry['name'] for entry in categories]
    for entry in categories:
        if entry['name'] not in classes:
            problems.add(f'{path}: category id {entry["id"]}: '
                         f'{unknown_name("class", entry["name"], classes)}')
    if set(names) <= set(classes) and names != list(classes):
        problems.add(f'{path}: {len(names)} categories, which are not the '
                     f"data set's {len(classes)} classes in their order")
    return {entry['id']: number
            for number, entry in enumerate(categories, start=1)}


def _read_outline(outline: object, size: Tuple[int, int]) -> Outline:
    """A checked ``segmentation``; pycocotools checks little of it.

    Raises:
        ValueError: If it cannot be drawn.
    """
    if isinstance(outline, list) and outline:
        return [_read_polygon(points, size) for points in outline]
    if not isinstance(outline, dict) or not {'size', 'counts'} <= set(outline):
        raise ValueError('neither polygons nor run lengths (RLE)')
    height, width = outline['size']
    if (height, width) != size:
        raise ValueError(f'run lengths (RLE) for {height} x {width}, but the '
                         f'image is {size[0]} x {size[1]}')
    counts = outline['counts']
    if isinstance(counts, str):
        counts = _unpack_run_lengths(counts)
    if min(counts, default=0) < 0 or sum(counts) != height * width:
        raise ValueError(f'run lengths (RLE) of {sum(counts)} pixels, but the '
                         f'image has {height * width}')
    return counts


def _read_polygon(points: object, size: Tuple[int, int]) -> np.ndarray:
    # pycocotools would take four numbers for a box.
    count = len(points) if isinstance(points, list) else 1
    if count < 6 or count % 2:
        raise ValueError(f'a polygon of {count} coordinates, three points '
                         'have 6')
    try:  # an array has a quarter of the memory
        points = np.asarray(points, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError('a polygon with coordinates that are no '
                         'numbers') from None
    far = 2 * max(size)  # annotators do leave the image a little
    if not (np.abs(points) <= far).all():  # nor is NaN
        raise ValueError('a polygon with coordinates far outside of the image')
    return points


def _unpack_run_lengths(text: str) -> List[int]:
    """COCO's compressed RLE: five bits a character, the lowest first.

    From the third on, a number is the difference from the last but one.
    """
    counts: List[int] = []
    value = shift = 0
    for code in text.encode():
        bits = code - 48
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:  # the last character of the number
            if bits & 16:  # its sign
                value -= 1 << shift
            counts.append(value + (counts[-2] if len(counts) > 2 else 0))
            value = shift = 0
    return counts


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
