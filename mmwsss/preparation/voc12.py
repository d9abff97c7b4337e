"""From the downloads of PASCAL VOC 2012 and SBD to what the configs read."""
import glob
import io
import os.path as osp
from collections import Counter
from functools import partial
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from mmwsss.datasets.label_sources import NpyLabels, VOCXMLLabels
from mmwsss.datasets.voc12 import VOC12ClsDataset
from mmwsss.files.atomic import require_writable, write_atomically
from mmwsss.files.image_lists import image_ids
from mmwsss.files.masks import read_mask, write_mask
from mmwsss.files.photos import image_name, photo_size
from mmwsss.files.unfinished import remove_unfinished
from mmwsss.parallel.progress import in_threads
from mmwsss.preparation.mask_archive import MaskArchive
from mmwsss.preparation.sbd import read_sbd_mask, sbd_masks
from mmwsss.problems import DataError, Problems

# Images of the papers' protocol.
PROTOCOL = dict(train=1464, train_aug=10582, val=1449, test=1456)
LISTS = osp.join('ImageSets', 'Segmentation')
LABELS = 'cls_labels.npy'

MaskReader = Callable[[], np.ndarray]
MaskSource = Tuple[str, MaskReader]  # where it is, for messages


class _Job(NamedTuple):
    """One mask to be checked and, unless it is there already, written."""
    photo: str
    source: str  # where the mask comes from, for messages
    read: MaskReader
    target: str  # where it goes


def convert_voc12(root: str,
                  sbd: Optional[str] = None,
                  aug_zip: Optional[str] = None,
                  subset: bool = False) -> Dict[str, int]:
    """Complete a VOC 2012 folder for weakly supervised segmentation.

    Writes ``SegmentationClassAug/*.png`` of ``train_aug`` and ``val``,
    ``ImageSets/Segmentation/train_aug.txt`` and ``cls_labels.npy``. Where VOC
    has a mask of its own, it is taken. What is there already is checked and
    kept, so that an interrupted run goes on.

    Args:
        root (str): ``VOCdevkit/VOC2012``.
        sbd (str, optional): Folder of SBD, see
            :func:`mmwsss.preparation.sbd.sbd_masks`. Defaults to None.
        aug_zip (str, optional): The ready ``SegmentationClassAug.zip``
            instead. Neither is needed where ``SegmentationClassAug`` is
            complete.
        subset (bool): The folder holds a part of VOC: do not insist on the
            papers' numbers of images. Defaults to False.

    Returns:
        dict[str, int]: Number of images of each list, and ``written`` masks.

    Raises:
        DataError: With every problem found. Lists and labels are written
            only if there is none.
    """
    problems = Problems(f'VOC 2012 in {root}')
    lists = _read_lists(root, problems)
    added = _added_masks(sbd, aug_zip, problems)
    problems.raise_if_any()  # without these the rest would be noise
    target_dir = osp.join(root, 'SegmentationClassAug')
    require_writable(target_dir)
    remove_unfinished(root)
    masks = _all_masks(root, lists, added, problems)
    found = set(masks) | set(lists['train'])
    lists['train_aug'] = sorted(found - set(lists['val']))
    _check_lists(root, lists, subset, problems)
    names = lists['train_aug'] + lists['val']
    labels = _new_labels(root, names, problems)
    jobs = [
        _Job(_photo(root, name), *masks[name],
             osp.join(target_dir, f'{name}.png')) for name in names
        if name in masks and osp.isfile(_photo(root, name))
    ]
    written = 0
    for new, lines in in_threads(_write_mask, jobs, 'Masks',
                                 len(jobs)):
        written += new
        for line in lines:
            problems.add(line)
    problems.raise_if_any()
    path = osp.join(root, LISTS, 'train_aug.txt')
    if not osp.isfile(path):  # else it names the same images
        write_atomically(path, '\n'.join([*lists['train_aug'], '']).encode())
    if labels is not None:
        buffer = io.BytesIO()
        np.save(buffer, np.array(labels, dtype=object))
        write_atomically(osp.join(root, LABELS), buffer.getvalue())
    return {**{name: len(ids) for name, ids in lists.items()},
            'written': written}


def _read_lists(root: str, problems: Problems) -> Dict[str, List[str]]:
    """Image ids of VOC's lists; notes what of VOC is missing."""
    if not osp.isdir(root):
        problems.add('no such folder; give the folder VOCdevkit/VOC2012 that '
                     "VOC's archive holds")
    folders = ['JPEGImages', 'SegmentationClass']
    if not osp.isfile(osp.join(root, LABELS)):
        folders.append('Annotations')
    for folder in folders:
        if not osp.isdir(osp.join(root, folder)):
            problems.add(f'no folder {osp.join(root, folder)}')
    lists = {}
    for name in ('train', 'val', 'test'):
        path = osp.join(root, LISTS, f'{name}.txt')
        if osp.isfile(path):
            lists[name] = image_ids(path, problems)
        elif name != 'test':  # has a download of its own
            problems.add(f'no list {path}')
    return lists


def _added_masks(sbd: Optional[str], aug_zip: Optional[str],
                 problems: Problems) -> Dict[str, MaskSource]:
    """The masks that are added to VOC's, by image id."""
    try:
        if sbd is not None:
            return {name: (path, partial(read_sbd_mask, path))
                    for name, path in sbd_masks(sbd).items()}
        if aug_zip is not None:
            archive = MaskArchive(aug_zip)
            return {name: (f'{aug_zip}: {member}', partial(archive.read, name))
                    for name, member in archive.members.items()}
    except DataError as error:
        problems.add(str(error))
    return {}


def _all_masks(root: str, lists: Dict[str, List[str]],
               added: Dict[str, MaskSource],
               problems: Problems) -> Dict[str, MaskSource]:
    """Masks that are there already, else VOC's own, else the added ones."""
    masks = dict(added)
    folder = osp.join(root, 'SegmentationClassAug')
    done = {image_name(path): path for path in
            glob.glob(osp.join(glob.escape(folder), '*.png'))}
    for name in lists['train'] + lists['val']:
        path = osp.join(root, 'SegmentationClass', f'{name}.png')
        masks[name] = path, partial(read_mask, path)
        if name not in done and not osp.isfile(path):
            problems.add(f'no mask {path}')
            del masks[name]
    for name, path in done.items():
        masks[name] = path, partial(read_mask, path)
    return masks


def _check_lists(root: str, lists: Dict[str, List[str]], subset: bool,
                 problems: Problems) -> None:
    """Numbers of images, images that are listed twice or are not there."""
    for name, ids in lists.items():
        path = osp.join(root, LISTS, f'{name}.txt')
        if len(ids) != PROTOCOL[name] and not subset:
            hint = ('; give --sbd DIR or --aug-zip FILE'
                    if name == 'train_aug' else '')
            problems.add(f'{path}: {len(ids)} images, the papers have '
                         f'{PROTOCOL[name]}{hint} (--subset accepts a part)')
        for image, times in Counter(ids).items():
            if times > 1:
                problems.add(f'{path}: {image} stands there {times} times')
        if name == 'train' and 'train_aug' in lists:
            continue  # named below, as a part of train_aug
        for image in ids:
            if not osp.isfile(_photo(root, image)):
                problems.add(f'{path}: no photo {_photo(root, image)}')
    path = osp.join(root, LISTS, 'train_aug.txt')
    if osp.isfile(path):
        others = set(image_ids(path, problems)) ^ set(lists['train_aug'])
        if others:
            problems.add(f'{path}: is there and differs in {len(others)} '
                         f'images, e.g. {min(others)}; remove it to have it '
                         'written anew')


def _new_labels(root: str, names: List[str],
                problems: Problems) -> Optional[Dict[str, np.ndarray]]:
    """The field's labels, from the boxes; None where they are there."""
    there = osp.isfile(osp.join(root, LABELS))
    source = NpyLabels(LABELS) if there else VOCXMLLabels()
    classes = list(VOC12ClsDataset.METAINFO['classes'][1:])
    try:
        labels = source.load([dict(img_path=name) for name in names], classes,
                             root)
    except DataError as error:
        problems.add(str(error))
        return None
    return None if there else dict(zip(names, labels))


def _write_mask(job: _Job) -> Tuple[bool, List[str]]:
    """Whether the mask was written, and what is wrong with it."""
    try:
        mask = job.read()
        size = photo_size(job.photo)
    except DataError as error:
        return False, [str(error)]
    values = np.unique(mask)
    wrong = values[(values > 20) & (values != 255)]
    lines = []
    if len(wrong):
        lines.append(
            f'{job.source}: values {", ".join(map(str, wrong[:5]))} are no '
            'classes of VOC (0 to 20, 255 to ignore); a palette PNG whose '
            'indices are the classes is needed')
    if mask.shape != size:
        lines.append(f'{job.source}: {mask.shape[0]} x {mask.shape[1]}, but '
                     f'{job.photo} is {size[0]} x {size[1]}')
    if lines or osp.isfile(job.target):
        return False, lines
    write_mask(job.target, mask, VOC12ClsDataset.METAINFO['palette'])
    return True, []


def _photo(root: str, name: str) -> str:
    return osp.join(root, 'JPEGImages', f'{name}.jpg')
