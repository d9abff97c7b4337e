"""MXNet's files: every version, and none that harms."""
import struct

import numpy as np
import pytest
from published_files import params_file

from mmwsss.conversion.mxnet_params import read_mxnet_params
from mmwsss.problems import DataError

ARRAYS = {'arg:conv1a_weight': np.arange(24.).reshape(2, 3, 2, 2),
          'aux:bn7_moving_mean': np.array([-1.5, 2, 1 / 3])}


@pytest.mark.parametrize('version', [1, 2, 3])
@pytest.mark.parametrize('dtype', [np.float32, np.float16])
def test_params_of_every_version(tmp_path, version, dtype):
    got = read_mxnet_params(params_file(tmp_path / 'a.params', ARRAYS,
                                        version, dtype))
    assert list(got) == list(ARRAYS)
    for name, value in ARRAYS.items():
        assert np.array_equal(got[name].numpy(), value.astype(dtype))


def damaged(content):
    """Contents that are wrong in one place each."""
    first = struct.calcsize('<QQQ')
    yield 'another magic', b'\x13' + content[1:]
    yield 'no content', b''
    yield 'text', b'no weights at all, but long enough to be read'
    yield 'many arrays', (content[:16] + struct.pack('<Q', 2**62) +
                          content[24:])
    yield 'one array too many', (content[:16] + struct.pack('<Q', 3) +
                                 content[24:])
    yield 'many dimensions', (content[:first + 8] +
                              struct.pack('<I', 2**31) +
                              content[first + 12:])
    yield 'a huge size', (content[:first + 12] + struct.pack('<q', 2**61) +
                          content[first + 20:])
    yield 'a negative size', (content[:first + 12] + struct.pack('<q', -2) +
                              content[first + 20:])
    yield 'an empty side', (content[:first + 12] + struct.pack('<q', 0) +
                            content[first + 20:])
    yield 'sparse', (content[:first + 4] + struct.pack('<i', 1) +
                     content[first + 8:])
    for length in range(1, len(content), 7):
        yield f'ends after {length}', content[:length]


def test_damaged_params_are_named(tmp_path):
    path = params_file(tmp_path / 'whole.params', ARRAYS, 3)
    with open(path, 'rb') as file:
        content = file.read()
    for what, wrong in damaged(content):
        (tmp_path / 'torn.params').write_bytes(wrong)
        try:
            read_mxnet_params(str(tmp_path / 'torn.params'))
        except DataError as error:
            assert 'torn.params' in str(error), what
        else:
            pytest.fail(f'{what}: was read')


@pytest.mark.parametrize('name', ['none.params', ''])
def test_a_params_file_that_is_none_is_named(tmp_path, name):
    with pytest.raises(DataError, match='not a readable MXNet'):
        read_mxnet_params(str(tmp_path / name))


def test_two_arrays_of_one_name(tmp_path):
    path = tmp_path / 'two.params'
    params_file(path, {'arg:a': np.eye(2), 'arg:b': np.eye(3)}, 3)
    path.write_bytes(path.read_bytes().replace(b'arg:b', b'arg:a'))
    with pytest.raises(DataError, match='two.params: two arrays of one name'):
        read_mxnet_params(str(path))
