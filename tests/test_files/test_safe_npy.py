"""Pickled ``.npy`` dicts, read without running code."""
import codecs
import io
import os
import os.path as osp
import pickle
import struct
import tracemalloc
from collections import OrderedDict

import numpy as np
import pytest
import torch

from mmwsss.files.safe_npy import load_npy_dict
from mmwsss.problems import DataError


class Malicious:

    def __reduce__(self):
        return os.system, ('touch npy_ran_code', )


def test_malicious_npy_is_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = str(tmp_path / 'cls.npy')
    np.save(path, {'img0': Malicious()})
    with pytest.raises(DataError, match=f'{path}.*system'):
        load_npy_dict(path)
    assert not osp.exists('npy_ran_code')


@pytest.mark.parametrize('content', [b'', b'no npy', pickle.dumps({'a': 1})])
def test_damaged_npy(tmp_path, content):
    path = tmp_path / 'cls.npy'
    path.write_bytes(content)
    with pytest.raises(DataError, match='cls.npy'):
        load_npy_dict(str(path))


def test_arrays_tensors_and_plain_values_are_read(tmp_path):
    content = {'a': np.arange(3.), 2: [torch.eye(2), 'text', (1, None)],
               'n': np.float32(0.5)}
    np.save(tmp_path / 'a.npy', content)
    read = load_npy_dict(str(tmp_path / 'a.npy'))
    assert read['a'].tolist() == [0, 1, 2] and read['n'] == 0.5
    assert torch.equal(read[2][0], torch.eye(2))
    assert read[2][1:] == content[2][1:]


@pytest.mark.parametrize('content, message', [
    (np.zeros(3), r'expected one pickled dict, got an array of type float64'),
    (np.array([{}, {}]), r'of type object and shape \(2,\)'),
    (np.array([1], dtype=object)[0:1].reshape(()), 'expected a dict, got int'),
])
def test_what_is_no_dict_is_named(tmp_path, content, message):
    np.save(tmp_path / 'a.npy', content)
    with pytest.raises(DataError, match=f'a.npy: .*{message}'):
        load_npy_dict(str(tmp_path / 'a.npy'))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match='none.npy: cannot be read'):
        load_npy_dict(str(tmp_path / 'none.npy'))


class Call:
    """Pickles as a call of any function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def npy(pickled):
    """A ``.npy`` around a pickle."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, dict(descr='|O', fortran_order=False, shape=()))
    return stream.getvalue() + pickled


def nested(kind, levels=40):
    """2 ** 40 values in some hundred bytes."""
    value = kind([0, 1])
    for _ in range(levels):
        value = kind([value, value])
    return value


def shared(times=3000):
    values = np.arange(20_000)
    return [values] * times


def twice_shared():
    one = [0] * 1000
    return [[one] * 1000] * 1000


BYTES = b'\xe9' * 5000  # as text, two bytes each
TENSOR = torch.zeros(1).expand(60_000, 60_000)
SMALL = dict(
    nested_lists={'x': nested(list)}, nested_tuples={'x': nested(tuple)},
    a_pair_as_key={(1, 2): 1},
    a_pair_as_key_of_pairs=Call(OrderedDict, [((1, 2), 1)]),
    an_array_by_its_size={'x': Call(np.ndarray, (1, 40_000, 50_000), 'u1')},
    a_codec={'x': Call(codecs.encode, 'a' * 1000, 'utf-32')},
    a_chain_of_codecs={'x': Call(codecs.encode, Call(
        codecs.encode, 'a' * 1000, 'unicode_escape'), 'unicode_escape')},
    a_tensor_expanded={'x': TENSOR}, a_set={'x': {1, 2}},
    one_array_many_times={'x': shared()}, lists_of_one_list=twice_shared(),
    a_type_by_its_size={'x': np.dtype('S2000000000')},
    a_type_with_fields={'x': np.zeros(2, [('a', 'i4')])},
    times={'x': np.zeros(2, 'datetime64[s]')}, code={'x': Call(eval, '1')},
    a_class={'x': Call(pickle.Unpickler, 1)})


@pytest.mark.parametrize('protocol', [2, 4, 5])
@pytest.mark.parametrize('name', SMALL)
def test_a_small_file_does_not_unfold(tmp_path, name, protocol):
    path = tmp_path / 'a.npy'
    path.write_bytes(npy(pickle.dumps(SMALL[name], protocol)))
    assert path.stat().st_size < 2**18
    tracemalloc.start()
    with pytest.raises(DataError, match='a.npy: refused') as caught:
        load_npy_dict(str(path))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2**26
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('pickled', [
    b'\x80\x04}r' + struct.pack('<I', 2**31) + b'.',  # place 2**31 of memory
    b'\x80\x05\x96' + struct.pack('<Q', 2**40) + b'.',  # a long bytearray
    b'\x80\x04\x8e' + struct.pack('<Q', 2**40) + b'.',  # long bytes
    b'\x80\x04\x95' + struct.pack('<Q', 2**40) + b'.',  # a long frame
    b'\x80\x04' + b'(' * 5000 + b'.', b'\x80\x04' + b']' * 5000 + b'.',
    b'\x80\x04]' + b'a' * 50 + b'.', b'\x80\x04K\x01K\x01b.',
    b'\x80\x04}K\x01' + b'\x85' * 100_000 + b'Ns.',  # a key of tuples
    b'\x80\x04}K\x01' + b'2\x86' * 40 + b'Ns.',  # 2**40 to be hashed
    b'\x80\x04Pid\n.', b'\x80\x04\x82\x01.',
    b'I' + b'9' * 5000 + b'\n.'])
def test_lengths_are_not_believed(tmp_path, pickled):
    path = tmp_path / 'a.npy'
    path.write_bytes(npy(pickled))
    tracemalloc.start()
    try:
        content = load_npy_dict(str(path))
    except DataError as error:
        assert str(error).startswith(f'{path}: ') and '\n' not in str(error)
    else:
        assert content == {}  # a place in memory that is only a number
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2**25


@pytest.mark.parametrize('protocol', range(2, 6))
def test_what_the_field_stores_is_read(tmp_path, protocol):
    content = {
        'keys': torch.tensor([3, 7]), 'high_res': np.random.rand(2, 3, 4),
        'half': np.zeros((2, 3), np.float16), 'empty': np.zeros((0, 2)),
        'fortran': np.asfortranarray(np.arange(6.).reshape(2, 3)),
        'text': np.array(['a', 'bc']), 'flags': np.array([True, False]),
        'big': np.arange(3, dtype='>i4'), 'objects': np.array(['a', None]),
        'turned': torch.arange(6).reshape(2, 3).T, 'number': np.int64(5),
        'ordered': OrderedDict([(1, 2), (3, [4])]), 'bytes': BYTES,
        'half_tensor': torch.ones(2, 2, dtype=torch.float16)}
    path = tmp_path / 'a.npy'
    path.write_bytes(npy(pickle.dumps(np.array(content, object), protocol)))
    read = load_npy_dict(str(path))
    assert list(read) == list(content)
    for name, want in content.items():
        got = read[name]
        if isinstance(want, torch.Tensor):
            assert torch.equal(got, want) and got.dtype == want.dtype, name
        elif isinstance(want, np.ndarray):
            assert got.dtype == want.dtype, name
            assert np.array_equal(got, want), name
        else:
            assert got == want, name
