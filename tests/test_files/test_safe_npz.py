"""Arrays of an ``.npz``: their headers are believed only if they fit."""
import os
import zipfile

import numpy as np
import pytest

from mmwsss.files.safe_npz import (
    INTEGERS,
    MOST_BYTES,
    NUMBERS,
    TEXT,
    read_embeddings,
    read_npz,
)


def header(shape, descr='|u1'):
    """The beginning of a ``.npy`` that says what it does not hold."""
    text = repr(dict(descr=descr, fortran_order=False, shape=shape)).encode()
    return b'\x93NUMPY\x01\x00' + len(text).to_bytes(2, 'little') + text


def archive(path, method=zipfile.ZIP_DEFLATED, **members):
    with zipfile.ZipFile(path, 'w', method) as file:
        for name, content in members.items():
            file.writestr(f'{name}.npy', content)
    return str(path)


def test_what_is_asked_for_is_read_and_nothing_else(tmp_path):
    path = str(tmp_path / 'a.npz')
    maps = np.arange(6.).reshape(2, 3, order='F')
    np.savez_compressed(path, maps=maps, names=['a', 'bc'], other=[{}])
    got = read_npz(path, dict(maps=NUMBERS, names=TEXT),
                   dict(scores=NUMBERS))
    assert list(got) == ['maps', 'names']
    assert np.array_equal(got['maps'], maps)
    assert got['names'].tolist() == ['a', 'bc']
    assert list(read_npz(path, {}, dict(maps=NUMBERS))) == ['maps']


@pytest.mark.parametrize('content, message', [
    (header((2**40, )), 'does not fit the .* bytes stored'),
    (header((-1, )) + b'123', 'does not fit'),
    (header((2, )) + b'123', 'does not fit'),
    (header((2**62, 4)), 'does not fit'),
    (header((2, ), '|O') + b'12', 'values of type object'),
    (header((2, ), '<U1000000'), 'values of type <U1000000'),
    (header((2, ), [('a', '<i4')]), 'values of type'),
    (header((2, ), '|V1') + b'12', 'values of type'),
    (b'\x93NUMPY\x02\x00' + b'\xff' * 4 + bytes(2**20), 'header of 4,294,967'),
    (b'\x93NUMPY\x09\x00' + bytes(20), 'header of 0 bytes'),
    (b'\x93NUMPY\x01\x00\x40\x00' + b'(' * 64, 'a damaged .npy header'),
    (b'\x93NUMPY\x01\x00\x40\x00{}', 'it ends in a .npy header'),
    (b'', 'no .npy array'), (b'some text', 'no .npy array')])
def test_headers_that_do_not_fit(tmp_path, content, message):
    path = archive(tmp_path / 'a.npz', maps=content)
    with pytest.raises(ValueError, match=message) as caught:
        read_npz(path, dict(maps=INTEGERS))
    assert '\n' not in str(caught.value)


def test_a_small_file_does_not_become_large(tmp_path):
    path = archive(tmp_path / 'a.npz', maps=header((2**23, )) + bytes(2**23))
    size = os.path.getsize(path)
    assert size < 2**14 and MOST_BYTES == 2**30
    with pytest.raises(ValueError, match='would take 8,388,608 bytes'):
        read_npz(path, dict(maps=NUMBERS), most_bytes=2**22)
    assert len(read_npz(path, dict(maps=NUMBERS))['maps']) == 2**23


def test_the_limit_is_of_all_arrays_together(tmp_path):
    path = str(tmp_path / 'a.npz')
    np.savez_compressed(path, a=np.zeros(600, 'u1'), b=np.zeros(600, 'u1'))
    assert len(read_npz(path, dict(a=NUMBERS), most_bytes=1000)) == 1
    with pytest.raises(ValueError, match='take 1,200 bytes'):
        read_npz(path, dict(a=NUMBERS, b=NUMBERS), most_bytes=1000)
    np.savez(path, a=np.zeros(600, 'u1'))  # a file of its arrays' size
    assert len(read_npz(path, dict(a=NUMBERS), most_bytes=100)['a']) == 600


@pytest.mark.parametrize('method', [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(tmp_path, method):
    path = archive(tmp_path / 'a.npz', method, maps=header((1, )) + b'1')
    with pytest.raises(ValueError, match='an unusual compression'):
        read_npz(path, dict(maps=NUMBERS))


def test_a_wrong_byte_among_the_values_is_noticed(tmp_path):
    path = tmp_path / 'a.npz'
    np.savez(path, maps=np.arange(100))
    content = bytearray(path.read_bytes())
    content[400] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match='CRC'):
        read_npz(str(path), dict(maps=NUMBERS))


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf, 1e300])
def test_embeddings_are_finite(tmp_path, value):
    path = str(tmp_path / 'a.npz')
    np.savez(path, names=['a', 'b'], embeddings=np.ones((2, 3)))
    names, vectors, _ = read_embeddings(path)
    assert names == ['a', 'b'] and vectors.dtype == np.float32
    assert vectors.tolist() == [[1] * 3] * 2
    np.savez(path, names=['a', 'b'], embeddings=[[1, 2], [3, value]])
    with pytest.raises(ValueError, match="of .b. holds numbers that are not"):
        read_embeddings(path)


def test_an_embedding_of_zeros_says_nothing(tmp_path):
    path = str(tmp_path / 'a.npz')
    np.savez(path, names=['a', 'b'], embeddings=[[0, 2], [0, 0]])
    with pytest.raises(ValueError, match="of 'b' holds only zeros"):
        read_embeddings(path)


@pytest.mark.parametrize('arrays', [
    dict(names=['a'], embeddings=np.ones((2, 3))),
    dict(names=['a'], embeddings=np.ones((1, 0))),
    dict(names=['a'], embeddings=np.ones(1)),
    dict(names=[1], embeddings=np.ones((1, 3))),
    dict(names=['a'], embeddings=[['b']]),
    dict(names=np.frombuffer(b'\xff' * 8, '<U1'), embeddings=np.ones((2, 3))),
    dict(names=['a'])])
def test_embeddings_fit_their_names(tmp_path, arrays):
    path = str(tmp_path / 'a.npz')
    np.savez(path, **arrays)
    with pytest.raises(ValueError):
        read_embeddings(path)
