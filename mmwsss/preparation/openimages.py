"""OpenImages30k: from the published layout to lists, labels and masks."""
import os
import os.path as osp
import re
from dataclasses import dataclass, field
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np
from mmengine.logging import print_log
from PIL import Image

from mmwsss.files.atomic import require_writable, write_atomically
from mmwsss.files.csv_files import read_csv, write_csv
from mmwsss.files.masks import unreadable_mask, write_mask
from mmwsss.files.photos import photo_size
from mmwsss.files.unfinished import remove_unfinished
from mmwsss.parallel.progress import in_threads
from mmwsss.problems import DataError, Problems

SPLITS = ('train', 'val', 'test')
# A mask has 8 bits: 0 is background, 255 is ignored.
_MOST_CLASSES = 254
# Object and ignored region; every class of a single-label set looks alike.
_COLOURS = np.random.default_rng(0).integers(60, 256, (255, 3))


@dataclass
class Photo:
    """One image of the lists.

    Attributes:
        path (str): As the lists name it, e.g. 'test/0bt_c3/0a51.jpg'.
        label (int): 0-based class.
        masks (list[str]): Paths of its instance masks; none in train.
        ignore (str, optional): Path of the mask of ignored regions.
    """
    path: str
    label: int
    masks: List[str] = field(default_factory=list)
    ignore: Optional[str] = None

    @property
    def mid(self) -> str:
        """The class's id in OpenImages without '/m/': its folder."""
        return osp.basename(osp.dirname(self.path))

    @property
    def name(self) -> str:
        """The path as a file name, which no other photo has."""
        return osp.splitext(self.path)[0].replace('/', '_')


def convert_openimages(metadata: str, root: str, class_names: str,
                       out_dir: str,
                       splits: Sequence[str] = SPLITS) -> None:
    """Write lists, labels, class names and one mask an image.

    Written to ``out_dir``, the layout of VOC: ``classes.txt``,
    ``labels.csv``, ``ImageSets/Segmentation/<split>.txt``,
    ``JPEGImages/<split>_<class id>_<image id>.jpg`` (links to the photos) and
    ``SegmentationClass/*.png`` of the size of the photo: class + 1 where an
    instance mask is set, 255 in the rest of the ignored region, else 0.
    Everything is looked at before anything is written; masks that are there
    already are kept, so an interrupted run goes on.

    Args:
        metadata (str): Folder of the published lists, with ``<split>/
            image_ids.txt``, ``class_labels.txt`` and ``localization.txt``.
        root (str): Folder of photos and masks, with the folders train, val
            and test.
        class_names (str): OpenImages' table of class ids and names,
            ``class-descriptions-boxable.csv``.
        out_dir (str): Where to write.
        splits (Sequence[str]): Which of train, val, test. Defaults to all.

    Raises:
        DataError: With all that is missing or wrong.
    """
    out_dir = require_writable(out_dir)
    remove_unfinished(out_dir)
    problems = Problems(f'OpenImages30k in {root}')
    photos = {split: _read_split(osp.join(metadata, split), problems)
              for split in splits}
    _check_names(photos, problems)
    mids = _class_mids(photos, problems)
    names = _class_names(class_names, mids, problems)
    for group in photos.values():
        for photo in group:
            files = [photo.path, *photo.masks]
            for path in files + ([photo.ignore] if photo.ignore else []):
                if not osp.isfile(osp.join(root, path)):
                    problems.add(f'{osp.join(root, path)} is missing')
    problems.raise_if_any()

    def convert(photo: Photo) -> Optional[DataError]:
        try:
            _link_photo(photo, root, out_dir)
            _merge_masks(photo, root, out_dir)
        except DataError as error:
            return error
        return None

    everything = [photo for group in photos.values() for photo in group]
    damaged = Problems('masks')
    for error in in_threads(convert, everything, 'OpenImages30k',
                            len(everything)):
        if error is not None:
            damaged.add(str(error))
    damaged.raise_if_any()
    # The lists come last: a folder that has them is complete.
    _write_lines(osp.join(out_dir, 'classes.txt'), names)
    write_csv(osp.join(out_dir, 'labels.csv'), [
        ('image', 'labels'), *((f'{photo.name}.jpg', names[photo.label])
                               for photo in everything)])
    for split, group in photos.items():
        _write_lines(osp.join(out_dir, 'ImageSets', 'Segmentation',
                              f'{split}.txt'), [p.name for p in group])
        print_log(f'{split}: {len(group)} photos, '
                  f'{sum(bool(p.masks) for p in group)} with masks',
                  'current')


def _read_split(folder: str, problems: Problems) -> List[Photo]:
    """Photos of a split in the order of its list."""
    labels: Dict[str, int] = {}
    for where, row in _read_rows(folder, 'class_labels.txt', 2, problems):
        index = _class_index(row[1])
        if index is None:
            problems.add(f'{where}: {row[1]!r} is no class index (0 to '
                         f'{_MOST_CLASSES - 1})')
        elif labels.setdefault(row[0], index) != index:
            problems.add(f'{where}: {row[0]} has class {labels[row[0]]} in '
                         'a line above')
    photos: Dict[str, Photo] = {}
    for where, (path, ) in _read_rows(folder, 'image_ids.txt', 1, problems):
        if not _is_inside(path):
            problems.add(f'{where}: {path!r} is not a path such as '
                         "'val/0bt_c3/0a51.jpg'")
        elif path in photos:
            problems.add(f'{where}: {path} stands there a second time')
        elif path not in labels:
            problems.add(f'{where}: {path} is not in class_labels.txt')
        else:
            photos[path] = Photo(path, labels[path])
    if osp.basename(folder) == 'train':
        return list(photos.values())  # nobody drew masks for it
    for where, (path, mask, ignore) in _read_rows(
            folder, 'localization.txt', 3, problems):
        if path not in photos:
            problems.add(f'{where}: {path} is not in image_ids.txt')
            continue
        outside = [name for name in (mask, ignore)
                   if not _is_inside(name) and (name or name is mask)]
        if outside:
            problems.add(f'{where}: {outside[0]!r} is not a path such as '
                         "'val/0bt_c3/0a51_mask.png'")
            continue
        photos[path].masks.append(mask)
        # It stands in the first line of a photo only.
        photos[path].ignore = ignore or photos[path].ignore
    for photo in photos.values():
        if not photo.masks:
            problems.add(f'{photo.path} has no mask in localization.txt')
    return list(photos.values())


def _read_rows(folder: str, name: str, fields: int,
               problems: Problems) -> List[Tuple[str, List[str]]]:
    """Rows of a list with the place of each; wrong ones become problems."""
    path = osp.join(folder, name)
    if not osp.isfile(path):
        problems.add(f'{path} is missing')
        return []
    rows = []
    try:
        for where, row in read_csv(path, problems):
            if len(row) != fields:
                problems.add(f'{where}: expected {fields} fields, got '
                             f'{len(row)}')
            else:
                rows.append((where, row))
    except DataError as error:
        problems.add(str(error))
    return rows


def _class_index(text: str) -> Optional[int]:
    """The index of a class that an 8-bit mask has room for."""
    index = int(text) if re.fullmatch('[0-9]{1,3}', text) else _MOST_CLASSES
    return index if index < _MOST_CLASSES else None


def _is_inside(path: str) -> bool:
    """Whether a path leads from a folder into it, and to a file."""
    parts = path.split('/')
    return len(parts) > 1 and '\\' not in path and not any(
        part in ('', '.', '..') for part in parts)


def _check_names(photos: Dict[str, List[Photo]], problems: Problems) -> None:
    """The names that photos get here are their own."""
    first: Dict[str, str] = {}
    for photo in (photo for group in photos.values() for photo in group):
        if first.setdefault(photo.name, photo.path) != photo.path:
            problems.add(f'{photo.path} and {first[photo.name]} would both '
                         f'be called {photo.name}; rename one')


def _class_mids(photos: Dict[str, List[Photo]],
                problems: Problems) -> List[str]:
    """The class id of each index; a class has one, and all have some."""
    found: Dict[int, str] = {}
    for photo in (photo for group in photos.values() for photo in group):
        mid = found.setdefault(photo.label, photo.mid)
        if mid != photo.mid:
            problems.add(f'{photo.path}: class {photo.label} is {mid} in '
                         'other photos')
    count = max(found, default=-1) + 1
    for index in set(range(count)) - set(found):
        problems.add(f'no photo of class {index}')
    return [found.get(index, '') for index in range(count)]


def _class_names(path: str, mids: List[str],
                 problems: Problems) -> List[str]:
    """Names of class ids from OpenImages' table."""
    try:
        table = {row[0]: row[1] for _, row in read_csv(path, problems)
                 if len(row) >= 2}
    except DataError as error:
        problems.add(f'{error}; give OpenImages\' '
                     'class-descriptions-boxable.csv')
        return []
    names: List[str] = []
    for mid in filter(None, mids):
        name = table.get(f'/m/{mid}')
        if name is None:
            problems.add(f'{path}: no name for /m/{mid}')
        elif set(name) & set(',;') or name in names:
            problems.add(f'{path}: /m/{mid} is called {name!r}; give it a '
                         'name of its own without , and ;')
        names.append(name or '')
    return names


def _link_photo(photo: Photo, root: str, out_dir: str) -> None:
    """A link in ``JPEGImages`` to the photo where it lies."""
    folder = osp.join(out_dir, 'JPEGImages')
    link = osp.join(folder, f'{photo.name}.jpg')
    if osp.isfile(link):
        return
    os.makedirs(folder, exist_ok=True)
    source = osp.join(root, photo.path)
    if osp.islink(link):  # one that leads nowhere: the photos have moved
        os.remove(link)
    try:
        os.symlink(osp.relpath(osp.realpath(source), osp.realpath(folder)),
                   link)
    except OSError:  # a file system without links
        with open(source, 'rb') as file:
            write_atomically(link, file.read())


def _merge_masks(photo: Photo, root: str, out_dir: str) -> None:
    """All instance masks and the ignored region as one mask."""
    path = osp.join(out_dir, 'SegmentationClass', f'{photo.name}.png')
    if not photo.masks or osp.isfile(path):
        return
    size = photo_size(osp.join(root, photo.path))
    merged = np.zeros(size, dtype=np.uint8)
    if photo.ignore:
        merged[_read_binary(osp.join(root, photo.ignore), size)] = 255
    for mask in photo.masks:
        merged[_read_binary(osp.join(root, mask), size)] = photo.label + 1
    write_mask(path, merged, [(0, 0, 0), *_COLOURS[1:]])


def _read_binary(path: str, size: Tuple[int, int]) -> np.ndarray:
    """A black and white picture as bool (H, W), at another size."""
    try:
        with Image.open(path) as image:
            # OpenImages' masks often have another size than the photo.
            grey = image.convert('L').resize(size[::-1],
                                             Image.Resampling.NEAREST)
            return np.asarray(grey) > 0
    except (OSError, SyntaxError, ValueError,
            Image.DecompressionBombError) as error:
        raise DataError(unreadable_mask(path, error)) from error


def _write_lines(path: str, lines: Sequence[str]) -> None:
    write_atomically(path, ''.join(f'{line}\n' for line in lines).encode())
