"""Whether what a finished stage made is still there, and whole."""
import logging
import os.path as osp
from typing import Optional, Sequence

from mmengine.logging import print_log

from mmwsss.files.lost_files import lost_files
from mmwsss.files.result_classes import RECORDS
from mmwsss.problems import DataError

from .photo_records import read_photo_records


def nothing_lost(paths: Sequence[str]) -> bool:
    """Whether all files of a stage are whole; if not, a line says so.

    Args:
        paths (Sequence[str]): See :func:`lost_files`.
    """
    lost = lost_files(paths)
    if lost:
        print_log(f'{len(lost)} of {len(paths)} files are missing or damaged, '
                  f'such as {lost[0]}', 'current', logging.WARNING)
    return not lost


def photos_are_whole(folder: str, maps: Optional[str] = None) -> bool:
    """Whether all masks that ``photos.json`` names are whole.

    Args:
        folder (str): That of a stage, which has ``photos.json``.
        maps (str, optional): The folder in it that has maps of each photo.
            Defaults to None: none has.

    Returns:
        bool: If it is False, a line says what is lost.
    """
    try:
        records = read_photo_records(folder)
    except DataError as error:
        print_log(str(error), 'current', logging.WARNING)
        return False
    if records is None:  # a line names it
        return nothing_lost([osp.join(folder, RECORDS)])
    names = [photo.name for photo in records.photos]
    paths = [osp.join(records.masks, f'{name}.png') for name in names]
    if maps is not None:
        paths += [osp.join(folder, maps, f'{name}.npz') for name in names]
    return nothing_lost(paths)
