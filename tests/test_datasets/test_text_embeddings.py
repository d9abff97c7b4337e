"""Text embeddings are read in the order of the data set's classes."""
import os.path as osp

import numpy as np
import pytest
from clip_files import Evil, one_line

from mmwsss.datasets.class_prompts import COCO80, VOC12
from mmwsss.datasets.text_embeddings import read_text_embeddings
from mmwsss.problems import DataError


def write(path, classes, **changes):
    arrays = dict(names=np.array(classes),
                  embeddings=np.eye(len(classes), 8, dtype=np.float32))
    np.savez(path, **{**arrays, **changes})
    return str(path)


def test_order_is_checked(tmp_path):
    path = write(tmp_path / 'a.npz', ['dining table', 'tv', 'cat'])
    rows = read_text_embeddings(path, ['diningtable', 'tvmonitor', 'cat'])
    np.testing.assert_array_equal(rows, np.eye(3, 8))
    for classes, message in (
            (['diningtable', 'cat', 'tvmonitor'], "row 1 is 'tv'.*'cat'"),
            (['diningtable', 'tvmonitor'], '3 classes, the data set has 2')):
        with pytest.raises(DataError, match=message) as info:
            read_text_embeddings(path, classes)
        assert path in one_line(info)
        assert 'tools/extract_text_embeddings.py --classes FILE' in str(
            info.value)
    with pytest.raises(DataError, match='the data set has 20'):
        read_text_embeddings(path, num_classes=20)
    # Two synonyms as classes of one set: only the very order will do.
    path = write(tmp_path / 'b.npz', ['tv', 'television'])
    read_text_embeddings(path, ['tv', 'television'])
    with pytest.raises(DataError, match='row 0'):
        read_text_embeddings(path, ['television', 'tv'])


def test_unreadable_text_embeddings(tmp_path):
    marker = str(tmp_path / 'ran')
    evil = np.empty(1, dtype=object)
    evil[0] = Evil(marker)
    good = write(tmp_path / 'good.npz', ['cat'])
    with open(good, 'rb') as file:
        content = file.read()
    (tmp_path / 'cut.npz').write_bytes(content[:-60])
    (tmp_path / 'empty.npz').write_bytes(b'')
    (tmp_path / 'text.npz').write_bytes(b'hello')
    np.save(tmp_path / 'lone.npy', np.zeros((1, 4)))
    np.savez(tmp_path / 'no_names.npz', embeddings=np.zeros((1, 4)))
    for path in (write(tmp_path / 'evil.npz', ['cat'], names=evil),
                 write(tmp_path / 'evil2.npz', ['cat'], embeddings=evil),
                 write(tmp_path / 'nan.npz', ['cat'],
                       embeddings=np.full((1, 4), np.nan)),
                 write(tmp_path / 'flat.npz', ['cat'],
                       embeddings=np.zeros(4)),
                 write(tmp_path / 'short.npz', ['cat', 'dog'],
                       embeddings=np.zeros((1, 4))),
                 write(tmp_path / 'words.npz', ['cat'],
                       embeddings=np.array([['a', 'b']])),
                 *(str(tmp_path / name) for name in (
                     'cut.npz', 'empty.npz', 'text.npz', 'lone.npy',
                     'no_names.npz', 'missing.npz'))):
        with pytest.raises(DataError) as info:
            read_text_embeddings(path, list(VOC12))
        message = one_line(info)
        assert path in message
        assert 'the data set has' not in message  # damage is found first
        assert '--classes voc12' in message and '--out' in message
    assert not osp.exists(marker)


@pytest.mark.parametrize('name, classes', [('voc12', VOC12),
                                           ('coco80', COCO80)])
def test_real_files(name, classes, test_data):
    path = test_data('weights', f'text_embeddings_{name}.npz')
    rows = read_text_embeddings(path, list(classes), len(classes))
    assert rows.shape == (len(classes), 512) and rows.dtype == np.float32
    # These were normalised in half precision.
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-3)
    with np.load(path) as file:  # what is written here is read the same way
        assert file['names'].tolist() == list(classes)
    with pytest.raises(DataError, match='row 0'):
        read_text_embeddings(path, list(classes)[::-1])
