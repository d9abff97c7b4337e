"""Pickled ``.npy`` dicts, read without running code."""
import os
import os.path as osp
import pickle

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
