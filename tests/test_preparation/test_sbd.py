"""The Semantic Boundaries Dataset."""
import os
import os.path as osp

import numpy as np
import pytest
from scipy.io import savemat

from mmwsss.preparation.sbd import read_sbd_mask, sbd_masks
from mmwsss.problems import DataError


@pytest.fixture
def dataset(tmp_path):
    """SBD's ``dataset`` with its two lists."""
    root = tmp_path / 'benchmark_RELEASE' / 'dataset'
    os.makedirs(root / 'cls')
    (root / 'train.txt').write_text('2008_000001\n2008_000002\n')
    (root / 'val.txt').write_text('2008_000003\n')
    return root


def test_folders_that_are_given(dataset):
    found = sbd_masks(str(dataset))
    assert sorted(found) == [f'2008_00000{i}' for i in (1, 2, 3)]
    assert osp.samefile(osp.dirname(found['2008_000002']), dataset / 'cls')
    for folder in (dataset.parent, dataset.parent.parent):
        assert sorted(sbd_masks(str(folder))) == sorted(found)
    with pytest.raises(DataError, match='no SBD, there is no'):
        sbd_masks(str(dataset / 'cls'))


def test_lists_are_checked_together(dataset):
    os.remove(dataset / 'train.txt')
    (dataset / 'val.txt').write_text('../../etc/passwd\n')
    with pytest.raises(DataError, match=r'2 problem\(s\)') as caught:
        sbd_masks(str(dataset))
    assert 'no list ' in str(caught.value)
    assert "'../../etc/passwd' is not an image id" in str(caught.value)


def test_classes_of_a_mask(dataset):
    mask = np.arange(12, dtype=np.uint8).reshape(3, 4)
    path = str(dataset / 'cls' / 'a.mat')
    savemat(path, dict(GTcls=dict(Segmentation=mask, Boundaries=0)))
    assert np.array_equal(read_sbd_mask(path), mask)


@pytest.mark.parametrize('content, message', [
    (None, 'a.mat is missing'), (b'no mat', 'no GTcls.Segmentation'),
    (dict(other=np.zeros((3, 4), np.uint8)), 'no GTcls.Segmentation'),
    (dict(Segmentation=np.zeros((3, 4))), 'float64 of shape')])
def test_other_files_are_named(dataset, content, message):
    path = dataset / 'cls' / 'a.mat'
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        savemat(str(path), dict(GTcls=content))
    with pytest.raises(DataError, match=f'a.mat.*{message}'
                       if content is not None else message):
        read_sbd_mask(str(path))


@pytest.mark.parametrize('content', [
    b'\xef\xbb\xbf2008_000003\r\n\r\n', b'2008_000003.jpg',
    '2008_000003\n'.encode('utf-16'),
    b'/JPEGImages/2008_000003.jpg /SegmentationClassAug/2008_000003.png\n'])
def test_lists_of_other_tools(dataset, content):
    (dataset / 'val.txt').write_bytes(content)
    assert '2008_000003' in sbd_masks(str(dataset))
