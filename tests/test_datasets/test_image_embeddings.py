"""Image embeddings by the names of the images."""
import numpy as np
import pytest

from mmwsss.datasets.image_embeddings import read_image_embeddings
from mmwsss.problems import DataError


@pytest.fixture
def path(tmp_path):
    np.savez(tmp_path / 'a.npz', names=['x', 'y', 'z'],
             embeddings=np.arange(6, dtype=np.float16).reshape(3, 2))
    return str(tmp_path / 'a.npz')


def test_rows_come_in_the_order_of_the_names(path):
    rows = read_image_embeddings(path, ['z', 'x', 'z'])
    assert rows.dtype == np.float32
    assert rows.tolist() == [[4, 5], [0, 1], [4, 5]]


def test_all_that_is_missing_is_named(path):
    with pytest.raises(DataError, match=r'a.npz .*2 problem\(s\)') as caught:
        read_image_embeddings(path, ['x', 'v', 'w'])
    for name in ('v', 'w'):
        assert f'no embedding of image {name!r}' in str(caught.value)
    assert 'tools/extract_image_embeddings.py' in str(caught.value)


@pytest.mark.parametrize('content', [None, b'', b'no zip'])
def test_unreadable_files_are_named(tmp_path, content):
    path = tmp_path / 'b.npz'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match='image embeddings .*b.npz'):
        read_image_embeddings(str(path), ['x'])


def test_other_arrays_are_named(tmp_path):
    np.savez(tmp_path / 'b.npz', vectors=np.zeros((1, 2)))
    with pytest.raises(DataError, match='cannot be read'):
        read_image_embeddings(str(tmp_path / 'b.npz'), ['x'])


@pytest.mark.parametrize('names, rows, message', [
    (['x', 'x'], np.ones((2, 2)), "2 embeddings of image 'x'"),
    (['x', 'y'], np.full((2, 2), np.nan), 'finite'),
    (['x', 'y'], [[1, 2], [3, np.inf]], 'finite'),
    (['x', 'y'], np.ones((1, 2)), 'each of its 2 names'),
    (['x', 'y'], np.ones(2), 'each of its 2 names')])
def test_wrong_numbers_are_named(tmp_path, names, rows, message):
    np.savez(tmp_path / 'b.npz', names=names, embeddings=rows)
    with pytest.raises(DataError, match=f'b.npz[^$]*{message}'):
        read_image_embeddings(str(tmp_path / 'b.npz'), ['x'])
