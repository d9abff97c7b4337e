"""What is known of each photo of a result folder: ``photos.json``."""
import os.path as osp
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Callable, Dict, List, Optional, Sequence

import numpy as np
from mmengine.dataset import BaseDataset

from mmwsss.datasets.photo_folder import mask_classes
from mmwsss.evaluation.photo_scores import (
    Counts,
    class_ious,
    failures,
    merged_classes,
    photo_counts,
    signs,
)
from mmwsss.files.json_files import read_json, write_json
from mmwsss.files.masks import MaskClasses, read_mask
from mmwsss.files.near_paths import near_path
from mmwsss.files.photos import image_name
from mmwsss.files.result_classes import RECORDS
from mmwsss.parallel.progress import in_threads
from mmwsss.problems import DataError

_UP = 3  # from the folder of a stage to what lies beside work_dirs/


@dataclass
class PhotoRecord:
    """A photo, where its files lie, and what its mask is like.

    Attributes:
        name (str): What its mask and maps are called.
        photo (str): Path of the photo.
        truth (str, optional): Path of its true mask.
        labels (list[int], optional): Classes that its image-level labels
            name, 1-based; None where there are none.
        counts (list): See :data:`~mmwsss.evaluation.photo_scores.Counts`.
        merged (list[int]): From
            :func:`~mmwsss.evaluation.photo_scores.merged_classes`.
    """
    name: str
    photo: str
    truth: Optional[str]
    labels: Optional[List[int]]
    counts: Counts
    merged: List[int]

    @property
    def ious(self) -> Dict[int, float]:
        """Class -> IoU in per cent; none without a true mask."""
        return {} if self.truth is None else class_ious(self.counts)

    @property
    def score(self) -> Optional[float]:
        """Mean of :attr:`ious`; None where there are none."""
        ious = self.ious
        return round(float(np.mean([*ious.values()])), 1) if ious else None

    @property
    def failures(self) -> Dict[int, List[str]]:
        """Class -> failures; none without a true mask."""
        return {} if self.truth is None else failures(self.counts,
                                                      self.merged)

    @property
    def signs(self) -> Dict[int, List[str]]:
        """Class -> what makes its mask doubtful; needs no true mask."""
        return signs(self.areas, self.labels)

    @property
    def areas(self) -> Dict[int, float]:
        """Class in the mask -> share of the photo in per cent."""
        areas: Dict[int, int] = {}
        for index, _, count in self.counts:
            areas[index] = areas.get(index, 0) + count
        total = sum(areas.values())
        return {index: round(100 * area / total, 1)
                for index, area in areas.items()}


@dataclass
class PhotoRecords:
    """The photos of a result folder.

    Attributes:
        classes (list[str]): Names of all classes, 'background' first.
        palette (list): Their RGB colours, 0..255.
        values (MaskClasses): What the values of true masks stand for.
        masks (str): The folder of their masks.
        photos (list[PhotoRecord]): In the order of the data set.
    """
    classes: List[str]
    palette: List[List[int]]
    values: MaskClasses
    masks: str
    photos: List[PhotoRecord]

    def mask(self, photo: PhotoRecord) -> np.ndarray:
        """The mask of a photo, uint8, (H, W)."""
        return read_mask(osp.join(self.masks, photo.name + '.png'))


def photo_records(dataset: BaseDataset, truths: Sequence[Optional[str]],
                  masks: str) -> PhotoRecords:
    """Look at the masks of a data set's photos.

    Args:
        dataset (BaseDataset): Of this project or of mmseg.
        truths (Sequence[str | None]): True mask of each image.
        masks (str): The folder of the masks; photos without are left out.

    Returns:
        PhotoRecords: Of all photos that have a mask.
    """
    values = mask_classes(dataset)
    jobs = []
    for index, truth in enumerate(truths):
        info = dataset.get_data_info(index)
        name = image_name(info['img_path'])
        if osp.isfile(osp.join(masks, name + '.png')):
            jobs.append((name, info, truth))
    photos = list(in_threads(partial(_look, masks, values), jobs,
                             'Looking at masks', len(jobs)))
    return PhotoRecords(list(dataset.metainfo['classes']),
                        [list(one) for one in dataset.metainfo['palette']],
                        values, masks, photos)


def _look(masks: str, values: MaskClasses, job: tuple) -> PhotoRecord:
    name, info, truth_path = job
    mask = read_mask(osp.join(masks, name + '.png'))
    truth = None if truth_path is None else read_mask(truth_path, values)
    if truth is not None and truth.shape != mask.shape:
        truth = truth_path = None  # of another photo; nothing to compare
    labels = info.get('gt_label')
    return PhotoRecord(
        name, osp.abspath(info['img_path']),
        truth_path and osp.abspath(truth_path),
        None if labels is None else (labels.nonzero()[0] + 1).tolist(),
        photo_counts(mask, truth),
        [] if truth is None else merged_classes(mask, truth))


def caption(title: str, photo: PhotoRecord, classes: Sequence[str]) -> str:
    """What stands above a mask: title and IoU, the classes on a line each.

    Args:
        title (str): What it is.
        photo (PhotoRecord): Its scores; without a true mask the share of the
            photo that each class covers.
        classes (Sequence[str]): Names of all classes.
    """
    ious, areas = photo.ious, photo.areas
    if photo.score is not None:
        title = f'{title}, IoU {photo.score:.0f} %'
    elif photo.truth is None:
        title = f'{title}, share of the photo'
    values = ious or {index: area for index, area in areas.items()
                      if index in range(1, len(classes))}
    return '\n'.join([title, *(f'{classes[index]} {value:.0f} %'
                               for index, value in values.items())])


def write_photo_records(folder: str, records: PhotoRecords) -> None:
    """Write ``photos.json``.

    Photos that lie near the folder are found from there on, so that all of it
    may be moved together.

    Args:
        folder (str): The result folder.
        records (PhotoRecords): From :func:`photo_records`.
    """
    values = records.values
    write_json(osp.join(folder, RECORDS), dict(
        classes=records.classes, palette=records.palette,
        masks=osp.relpath(records.masks, folder),
        values=dict(count=values.count,
                    label_map=list((values.label_map or {}).items()),
                    reduce_zero_label=values.reduce_zero_label),
        photos=[vars(_with_paths(photo, lambda path: near_path(
            path, folder, _UP))) for photo in records.photos]), indent=None)


def read_photo_records(folder: str) -> Optional[PhotoRecords]:
    """Read ``photos.json``.

    Args:
        folder (str): The result folder.

    Returns:
        PhotoRecords, optional: None if the folder has none.

    Raises:
        DataError: If the file is not what was written.
    """
    path = osp.join(folder, RECORDS)
    if not osp.isfile(path):
        return None
    content: Any = read_json(path)
    try:
        values = dict(content['values'])
        values['label_map'] = dict(values['label_map']) or None
        return PhotoRecords(
            content['classes'], content['palette'], MaskClasses(**values),
            osp.normpath(osp.join(folder, content['masks'])),
            [_with_paths(PhotoRecord(**photo), lambda path: osp.abspath(
                osp.join(folder, path))) for photo in content['photos']])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f'{path}: not what was written ({error!r}); remove '
                        'it, then the report looks at the masks again'
                        ) from error


def _with_paths(photo: PhotoRecord,
                write: Callable[[str], str]) -> PhotoRecord:
    """A copy whose files lie where they did, but are written otherwise."""
    return replace(photo, photo=write(photo.photo),
                   truth=photo.truth and write(photo.truth))
