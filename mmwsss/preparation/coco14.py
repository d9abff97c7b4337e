"""From the downloads of COCO 2014 to what the configs read."""
import os
import os.path as osp
from typing import Dict, List, Optional, Sequence, Tuple

from mmwsss.datasets.class_prompts import COCO80
from mmwsss.datasets.coco14 import COCO14ClsDataset
from mmwsss.files.atomic import require_writable, write_atomically
from mmwsss.files.csv_files import write_csv
from mmwsss.files.masks import write_mask
from mmwsss.files.photos import image_name, photo_size
from mmwsss.files.unfinished import remove_unfinished
from mmwsss.parallel.progress import in_processes, in_threads
from mmwsss.preparation.coco_instances import (
    COCOImage,
    draw_mask,
    read_instances,
    require_pycocotools,
)
from mmwsss.problems import DataError, Problems

# Images with an object, as the papers count them.
PROTOCOL = dict(train2014=82081, val2014=40137)


def convert_coco14(root: str,
                   splits: Sequence[str] = tuple(PROTOCOL),
                   images: str = '{split}',
                   annotations: str = 'annotations/instances_{split}.json',
                   out_dir: Optional[str] = None,
                   num_workers: Optional[int] = None,
                   subset: bool = False,
                   skip_bad_outlines: bool = False) -> Dict[str, int]:
    """Write masks, lists and image-level labels of COCO.

    For each split ``SegmentationClass/<split>/*.png``,
    ``ImageSets/<split>.txt`` and ``labels_<split>.csv``, of the images with
    an object. Masks that are there already are kept, so that an interrupted
    run goes on.

    Args:
        root (str): Folder of COCO.
        splits (Sequence[str]): Names of the splits.
        images (str): Folder of a split's photos, under ``root``, with
            ``{split}`` for its name.
        annotations (str): Instance annotations of a split, under ``root``,
            with ``{split}`` for its name.
        out_dir (str, optional): Where to write; the configs expect the
            photos beside it. Defaults to ``root``.
        num_workers (int, optional): Processes that draw; 0 draws in this
            one. Defaults to the number of CPU cores.
        subset (bool): The annotations are a part of COCO's: do not insist on
            the papers' numbers of images. Defaults to False.
        skip_bad_outlines (bool): See :func:`read_instances`.

    Returns:
        dict[str, int]: Number of images of each list, and ``written`` masks.

    Raises:
        DataError: With every problem of all splits, before a mask is drawn;
            or if pycocotools is missing.
    """
    require_pycocotools()
    out_dir = root if out_dir is None else out_dir
    out_dir = require_writable(out_dir)
    remove_unfinished(out_dir)
    problems = Problems(f'COCO in {root}')
    found = {}
    for split in splits:
        found[split] = _read_split(
            osp.join(root, annotations.format(split=split)),
            osp.join(root, images.format(split=split)),
            None if subset else PROTOCOL.get(split), problems,
            skip_bad_outlines)
    problems.raise_if_any()
    if num_workers is None:
        num_workers = os.cpu_count() or 1
    masks = osp.join(out_dir, 'SegmentationClass')
    todo = [job for job in (
        (osp.join(masks, split, image_name(image.file_name) + '.png'), image)
        for split, split_images in found.items() for image in split_images)
        if not osp.isfile(job[0])]
    for _ in in_processes(_write_mask, todo, 'Masks', num_workers):
        pass
    for split, split_images in found.items():
        _write_tables(out_dir, split, split_images)
    return dict({split: len(split_images)
                 for split, split_images in found.items()}, written=len(todo))


def _read_split(annotations: str, folder: str, expected: Optional[int],
                problems: Problems, skip_bad_outlines: bool
                ) -> List[COCOImage]:
    """The images with an object; notes all that is wrong with the split."""
    if not osp.isfile(annotations):
        problems.add(f'no file {annotations}')
    if not osp.isdir(folder):
        problems.add(f'no folder {folder}')
    if not osp.isfile(annotations) or not osp.isdir(folder):
        return []
    try:
        images = read_instances(annotations, list(COCO80), problems,
                                skip_bad_outlines)
    except DataError as error:
        problems.add(str(error))
        return []
    images = [image for image in images if image.labels]
    if expected is not None and len(images) != expected:
        problems.add(f'{annotations}: {len(images)} images with an object, '
                     f'the papers have {expected} (--subset accepts a part)')
    there = set(os.listdir(folder))
    for image in images:
        if image.file_name not in there:
            problems.add(f'no photo {osp.join(folder, image.file_name)}')
    photos = [(osp.join(folder, image.file_name), image.size)
              for image in images if image.file_name in there]
    for line in in_threads(_bad_photo, photos, f'Photos of {folder}',
                           len(photos)):
        if line is not None:
            problems.add(line)
    return images


def _bad_photo(photo: Tuple[str, Tuple[int, int]]) -> Optional[str]:
    """What is wrong with a photo's header, or None."""
    path, expected = photo
    try:
        size = photo_size(path)
    except DataError as error:
        return str(error)
    if size == expected:
        return None
    return (f'{path}: {size[0]} x {size[1]} when upright, the annotations say '
            f'{expected[0]} x {expected[1]}; fetch it again, and remove an '
            'EXIF orientation')


def _write_mask(job: Tuple[str, COCOImage]) -> None:
    path, image = job
    write_mask(path, draw_mask(image), COCO14ClsDataset.METAINFO['palette'])


def _write_tables(out_dir: str, split: str,
                  images: List[COCOImage]) -> None:
    """The list of images, and their labels as ``TableLabels`` reads them."""
    classes = list(COCO80)
    write_csv(osp.join(out_dir, f'labels_{split}.csv'), [
        ('image', 'labels'),
        *((image.file_name, ';'.join(
            classes[number - 1] for number in sorted(image.labels)))
          for image in images)])
    write_atomically(
        osp.join(out_dir, 'ImageSets', f'{split}.txt'),
        ''.join(f'{image_name(image.file_name)}\n'
                for image in images).encode())
