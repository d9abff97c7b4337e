"""Masks in a zip archive; hostile ones are in the tests of voc12."""
import io
import os.path as osp
import zipfile

import numpy as np
import pytest
from PIL import Image

from mmwsss.preparation.mask_archive import MOST_MASK_BYTES, MaskArchive
from mmwsss.problems import DataError


def archive(tmp_path, **members):
    """A zip of files by name, masks as arrays."""
    path = str(tmp_path / 'masks.zip')
    with zipfile.ZipFile(path, 'w') as file:
        for name, content in members.items():
            if isinstance(content, np.ndarray):
                buffer = io.BytesIO()
                Image.fromarray(content).save(buffer, format='PNG')
                content = buffer.getvalue()
            file.writestr(name, content)
    return path


def test_masks_are_read_by_image(tmp_path):
    mask = np.arange(12, dtype=np.uint8).reshape(3, 4)
    found = MaskArchive(archive(tmp_path, **{
        'Aug/a.png': mask, 'b.png': mask + 1, 'Aug/notes.txt': b'',
        '__MACOSX/Aug/._a.png': b'a note'}))
    assert sorted(found.members) == ['a', 'b']
    assert np.array_equal(found.read('a'), mask)
    assert np.array_equal(found.read('b'), mask + 1)


def test_an_archive_without_masks(tmp_path):
    with pytest.raises(DataError, match='no .png in it'):
        MaskArchive(archive(tmp_path, **{'a.txt': b''}))
    with pytest.raises(DataError, match='none.zip: not a readable zip'):
        MaskArchive(str(tmp_path / 'none.zip'))


def test_a_colour_picture_is_no_mask(tmp_path):
    found = MaskArchive(archive(tmp_path, **{
        'a.png': np.zeros((3, 4, 3), np.uint8), 'b.png': b'no picture'}))
    with pytest.raises(DataError, match='masks.zip: a.png: a mask has one'):
        found.read('a')
    with pytest.raises(DataError, match='masks.zip: b.png: mask cannot be'):
        found.read('b')


def test_a_mask_that_would_unpack_to_gigabytes(tmp_path):
    path = str(tmp_path / 'a.zip')
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as file:
        file.writestr('a.png', bytes(MOST_MASK_BYTES + 1))
    assert osp.getsize(path) < 2**18
    with pytest.raises(DataError, match="'a.png' would unpack to 67,108,865"):
        MaskArchive(path)
