"""Masks in a zip archive, such as the field's SegmentationClassAug.zip."""
import os.path as osp
import zipfile
from typing import Dict

import numpy as np

from mmwsss.files.masks import decode_mask
from mmwsss.problems import DataError, Problems, one_line

# Bytes of a mask as a file; those of the field take some 10 KB.
MOST_MASK_BYTES = 2**26


class MaskArchive:
    """A ``.zip`` of ``<image id>.png``, flat or in a folder.

    Nothing is unpacked: masks are read from the archive, so that no name in
    it decides where a file is written.

    Args:
        path (str): The archive. Several threads may read it.

    Raises:
        DataError: If it is damaged, empty or hostile: names that point out of
            it, or masks of over ``MOST_MASK_BYTES``.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        problems = Problems(f'masks in {path}')
        try:
            self.file = zipfile.ZipFile(path)
        except Exception as error:  # a damaged file can raise nearly anything
            raise DataError(f'{path}: not a readable zip archive '
                            f'({one_line(error)})') from error
        self.members: Dict[str, str] = {}
        for info in self.file.infolist():
            member = info.filename
            parts = member.replace('\\', '/').split('/')
            name, extension = osp.splitext(parts[-1])
            if '..' in parts or member.startswith(('/', '\\')):
                problems.add(f'{member!r} points out of the archive; do not '
                             'use this file')
            # macOS adds a folder of its own notes, ._<image id>.png.
            elif extension != '.png' or name.startswith('.'):
                continue
            elif name in self.members:
                problems.add(f'{member!r}: the image stands there a second '
                             f'time (first: {self.members[name]!r})')
            elif info.file_size > MOST_MASK_BYTES:
                problems.add(f'{member!r} would unpack to '
                             f'{info.file_size:,} bytes, a mask may have '
                             f'{MOST_MASK_BYTES:,}')
            else:
                self.members[name] = member
        if not self.members and not problems.lines:
            problems.add('no .png in it')
        problems.raise_if_any()

    def read(self, name: str) -> np.ndarray:
        """The mask of an image.

        Args:
            name (str): Image id, one of ``members``.

        Returns:
            np.ndarray: uint8, (H, W).

        Raises:
            DataError: If it is damaged or not a mask.
        """
        member = self.members[name]
        path = f'{self.path}: {member}'
        try:
            content = self.file.read(member)
        except Exception as error:  # a damaged file can raise nearly anything
            raise DataError(f'{path}: cannot be read ({one_line(error)})'
                            ) from error
        return decode_mask(content, path)
