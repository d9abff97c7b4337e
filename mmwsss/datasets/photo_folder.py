"""Photos of a list, or all photos of a folder, checked at the start."""
import logging
import os.path as osp
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import compress
from typing import Any, Dict, List, Sequence, Tuple, Union

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log
from mmseg.datasets import BaseSegDataset
from mmseg.datasets.transforms import LoadAnnotations

from mmwsss.files.image_lists import (
    existing_form,
    find_listed,
    read_image_list,
)
from mmwsss.files.mask_headers import MaskedPhoto, check_mask_headers
from mmwsss.files.mask_survey import nothing_to_score, survey_masks
from mmwsss.files.masks import MaskClasses, check_class_count
from mmwsss.files.missing_photos import no_photo
from mmwsss.files.photos import (
    find_photos,
    image_name,
    no_photos,
    photo_size,
    read_photo,
)
from mmwsss.problems import ConfigError, DataError, Problems
from mmwsss.registry import DATASETS

from .class_names import check_class_names


@DATASETS.register_module()
class PhotoFolder(BaseSegDataset):
    """mmseg's data set, whose every problem is reported when it is built.

    Without a list it takes every photo of the folder: mmseg takes ``.jpg``
    files only and passes over the others in silence. With
    ``data_prefix=dict(img_path=...)`` and nothing else it is what a segmentor
    is applied to: photos without labels or masks.

    What a folder holds besides photos is counted and listed in the log.

    Args:
        check_images (bool | str): True: open the header of every photo, and
            of its mask if it has one, at the start. 'decode': decode every
            photo whole as well, as ``LoadPhoto`` will. Unless False, all
            masks that the pipeline loads are read, so that a value that is no
            class shows before any work. Defaults to True.
        skip_bad (int): Photos, at most, that are left out, and named in the
            log, because they are missing or damaged; with more it is an error
            as always. Defaults to 0.
        leave_out (Sequence[str]): Names of photos, without folder and
            extension, that are not taken. Defaults to none.
        **kwargs: See mmseg's ``BaseSegDataset``.
    """

    # Whether a mask that is named has to be there.
    needs_masks = True

    def __init__(self, check_images: Union[bool, str] = True,
                 skip_bad: int = 0, leave_out: Sequence[str] = (),
                 **kwargs: Any) -> None:
        if check_images not in (True, False, 'decode'):
            raise ConfigError(f'check_images={check_images!r}: use True '
                              "(headers), 'decode' (whole photos) or False")
        self.check_images = check_images
        self.skip_bad = skip_bad
        self.leave_out = frozenset(leave_out)
        # Names of the photos that were passed over for ``skip_bad``.
        self.bad: List[str] = []
        # Whether the pipeline takes photos that show signs of damage.
        self.lenient = any(
            isinstance(step, dict) and step.get('lenient', False)
            for step in kwargs.get('pipeline', ()))
        super().__init__(**kwargs)

    def load_data_list(self) -> List[dict]:
        """Data infos, as mmseg's.

        Raises:
            DataError: With all that is missing, listed twice, no image, or a
                mask of another size than its photo.
        """
        classes = self.metainfo.get('classes') or ()
        check_class_count(len(classes),
                          f'{type(self).__name__}, metainfo.classes')
        check_class_names(classes,
                          f'{type(self).__name__}, metainfo.classes')
        self._check_paths()
        if self.ann_file:
            data_list, lines = self._listed_photos()
            places = [f'line {line}: ' for line in lines]
        else:
            data_list = self._all_photos()
            places = [''] * len(data_list)
        taken = [(info, place) for info, place in zip(data_list, places)
                 if image_name(info['img_path']) not in self.leave_out]
        for info, _ in taken:
            if info.get('seg_map_path') is not None:
                info['seg_map_path'] = self.mask_path(info)
                info['num_classes'] = len(classes) or None
        return self._checked([info for info, _ in taken],
                             [place for _, place in taken])

    def mask_path(self, info: dict) -> str:
        """Where the mask of a photo lies.

        Args:
            info (dict): Data info with ``img_path`` and ``seg_map_path``.
        """
        return info['seg_map_path']

    def _listed_photos(self) -> Tuple[List[dict], List[int]]:
        """The photos of the list, and the line of each."""
        images = read_image_list(self.ann_file)
        folder = self.data_prefix['img_path']
        return ([self._data_info(*find_listed(image, folder, self.img_suffix))
                 for image in images], [image.line for image in images])

    def _all_photos(self) -> List[dict]:
        folder = self.data_prefix['img_path']
        names, others = find_photos(folder)
        if others:
            shown = others[:10] + (['...'] if len(others) > 10 else [])
            print_log(f'{folder}: {len(names):,} photos, {len(others):,} left '
                      f'out: {", ".join(shown)}', 'current', logging.WARNING)
        if not names:
            raise DataError(no_photos(folder, others))
        return [self._data_info(osp.join(folder, name), osp.splitext(name)[0])
                for name in names]

    def _data_info(self, path: str, stem: str) -> dict:
        info = dict(img_path=path, label_map=self.label_map,
                    reduce_zero_label=self.reduce_zero_label, seg_fields=[])
        masks = self.data_prefix.get('seg_map_path')
        if masks is not None:
            info['seg_map_path'] = existing_form(
                masks, stem + self.seg_map_suffix)
        return info

    def _check_paths(self) -> None:
        folder = self.data_prefix.get('img_path') or ''
        if not osp.isdir(folder):
            raise DataError(f'{type(self).__name__}: no image folder {folder}.'
                            f' data_root is {self.data_root!r}; change it in '
                            'the config, or with --cfg-options data_root=DIR')
        if self.ann_file and not osp.isfile(self.ann_file):
            raise DataError(f'{type(self).__name__}: no list {self.ann_file} '
                            f'(data_root is {self.data_root!r})')

    def _checked(self, data_list: List[dict],
                 places: List[str]) -> List[dict]:
        """The infos; all photos are there, once, whole, and fit their masks.

        Photos that are not are left out as far as ``skip_bad`` allows.
        """
        problems = Problems(self.ann_file or self.data_prefix['img_path'])
        if not data_list:
            problems.add('lists no image')
        self._check_names(data_list, places, problems)
        masked: List[MaskedPhoto] = []
        good, bad = [], []
        # Without the missing ones, which a wrong folder has by the thousands.
        there = [osp.isfile(info['img_path']) for info in data_list]
        with ThreadPoolExecutor() as pool:
            checks = pool.map(self._look_at, compress(data_list, there))
            for info, place, is_there in zip(data_list, places, there):
                if not is_there:
                    bad.append(info)
                    problems.add(partial(_missing, place, info['img_path']))
                    continue
                found = next(checks)
                mask = info.get('seg_map_path')
                if isinstance(found, str):
                    bad.append(info)
                    problems.add(place + found)
                    continue
                good.append(info)
                if mask is None:
                    continue
                if not osp.isfile(mask):
                    if self.needs_masks:
                        problems.add(f'{place}no mask {mask}')
                elif found is not None:
                    masked.append((info['img_path'], mask, found))
        if bad and len(bad) <= self.skip_bad and good and (
                len(problems.lines) == len(bad)):
            self.bad = [image_name(info['img_path']) for info in bad]
            print_log('\n  '.join([f'{len(good):,} photos, {len(bad)} bad '
                                   'ones left out:', *problems.shown()]),
                      'current', logging.WARNING)
            problems.clear()
            data_list = good
        self.check_masks(masked, problems)
        problems.raise_if_any()
        return data_list

    @staticmethod
    def _check_names(data_list: List[dict], places: List[str],
                     problems: Problems) -> None:
        """Note photos that stand there twice, or share a name."""
        first: Dict[str, str] = {}
        names: Dict[str, str] = {}
        for info, place in zip(data_list, places):
            path = info['img_path']
            if path in first:
                problems.add(f'{place}{path} stands there a second time '
                             f'(first: {first[path].rstrip(": ")})')
                continue
            first[path] = place
            name = image_name(path)
            if name in names:
                problems.add(f'{place}{path} and {names[name]} have one '
                             'name, which their maps and masks would share; '
                             'rename one')
            names.setdefault(name, path)

    def _look_at(self, info: dict) -> Union[None, str, Tuple[int, int]]:
        """A photo's size, or None if it is not looked at; or its problem."""
        path = info['img_path']
        if not self.check_images:
            return None
        try:
            if self.check_images == 'decode':
                height, width = read_photo(path, self.lenient).shape[:2]
                return height, width
            return photo_size(path, self.lenient)
        except DataError as error:
            return str(error)

    def check_masks(self, photos: List[MaskedPhoto],
                    problems: Problems) -> None:
        """Note masks that cannot belong to their photos.

        Args:
            photos (list[MaskedPhoto]): Photos whose masks are there.
            problems (Problems): Where to note them.
        """
        before = len(problems.lines)
        check_mask_headers(photos, problems)
        read = self.needs_masks or _loads_masks(self.pipeline)
        if (len(problems.lines) > before or not photos or not read
                or not self.metainfo.get('classes')):
            return
        pixels = survey_masks([mask for _, mask, _ in photos],
                              mask_classes(self), problems)
        if len(problems.lines) == before:
            self.check_pixels(pixels, problems)

    def check_pixels(self, pixels: np.ndarray, problems: Problems) -> None:
        """Note what makes masks useless that are right one by one.

        Args:
            pixels (np.ndarray): Of each class in all masks, 255 for ignored
                ones, (256, ).
            problems (Problems): Where to note it.
        """
        line = nothing_to_score(pixels, self.metainfo['classes'])
        if line is not None:
            problems.add(f'{self.data_prefix["seg_map_path"]}: {line}')


def _missing(place: str, path: str) -> str:
    return place + no_photo(path)


def mask_classes(dataset: BaseDataset) -> MaskClasses:
    """What the values in the masks of a data set stand for.

    Args:
        dataset (BaseDataset): Of this project or of mmseg.
    """
    return MaskClasses(len(dataset.metainfo['classes']),
                       getattr(dataset, 'label_map', None),
                       getattr(dataset, 'reduce_zero_label', False))


def _loads_masks(pipeline: Any) -> bool:
    """Whether a pipeline, or one inside it, reads masks."""
    if isinstance(pipeline, LoadAnnotations):
        return True
    if isinstance(pipeline, (list, tuple)):
        return any(map(_loads_masks, pipeline))
    # Compose, what wraps other transforms, TestTimeAug.
    return any(_loads_masks(getattr(pipeline, name))
               for name in ('transforms', 'subroutines')
               if hasattr(pipeline, name))
