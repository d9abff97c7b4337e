"""Files appear whole or not at all."""
import errno
import os
import resource

import numpy as np
import pytest
from limits import limited

from mmwsss.files.atomic import (
    require_writable,
    require_writable_file,
    temporary_name,
    write_atomically,
    write_npz,
)
from mmwsss.files.json_files import write_json
from mmwsss.files.maps import write_map
from mmwsss.files.masks import write_mask
from mmwsss.problems import ConfigError, DataError


def test_a_file_and_its_folders(tmp_path):
    path = tmp_path / 'a' / 'b' / 'file.bin'
    write_atomically(str(path), b'first')
    write_atomically(str(path), b'second')
    assert path.read_bytes() == b'second'
    assert os.listdir(path.parent) == ['file.bin']


def test_a_name_without_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_atomically('file.bin', b'here')
    assert (tmp_path / 'file.bin').read_bytes() == b'here'


def test_what_was_there_stays_when_the_disk_is_full(tmp_path, monkeypatch):
    path = tmp_path / 'file.bin'
    write_atomically(str(path), b'old')

    def full(*names):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(os, 'replace', full)
    with pytest.raises(DataError, match='file.bin: cannot be written .No '
                       'space left on device.*make room'):
        write_atomically(str(path), b'new')
    assert path.read_bytes() == b'old'
    assert os.listdir(tmp_path) == ['file.bin']


NOISE = np.random.default_rng(0).integers(0, 200, (80, 90), np.uint8)


@pytest.mark.parametrize('name, write', [
    ('img0.npz', lambda path: write_map(path, NOISE[None] / 255, [0])),
    ('img0.png', lambda path: write_mask(path, NOISE, [[0, 0, 0]] * 256)),
    ('scores.json', lambda path: write_json(path, NOISE.tolist())),
    ('labels.npy', lambda path: write_atomically(path, NOISE.tobytes())),
])
def test_a_limit_of_file_size(tmp_path, name, write):
    path = tmp_path / name
    path.write_bytes(b'old')
    with limited(resource.RLIMIT_FSIZE, 2000):
        with pytest.raises(DataError, match=f'{name}: cannot be written '
                           '.File too large.*"ulimit -f unlimited"') as error:
            write(str(path))
    assert '\n' not in str(error.value)
    assert path.read_bytes() == b'old' and os.listdir(tmp_path) == [name]
    write(str(path))
    assert path.stat().st_size > 2000


def test_half_of_it_is_never_under_its_name(tmp_path, monkeypatch):
    """The name appears only once all bytes are written."""
    path, seen = tmp_path / 'file.bin', []
    replace = os.replace

    def look(source, target):
        seen.append((os.path.exists(target), os.path.getsize(source)))
        replace(source, target)

    monkeypatch.setattr(os, 'replace', look)
    write_atomically(str(path), b'x' * 5000)
    assert seen == [(False, 5000)]


def test_arrays_come_back(tmp_path):
    path = str(tmp_path / 'a.npz')
    write_npz(path, numbers=np.arange(3), names=np.array(['a', 'b']))
    with np.load(path, allow_pickle=False) as file:
        assert file['numbers'].tolist() == [0, 1, 2]
        assert file['names'].tolist() == ['a', 'b']


def test_a_folder_that_takes_files(tmp_path):
    require_writable(str(tmp_path / 'new' / 'folder'))
    assert os.listdir(tmp_path / 'new' / 'folder') == []
    (tmp_path / 'file').write_text('')
    with pytest.raises(ConfigError, match='cannot be written to.*choose '
                       'another folder'):
        require_writable(str(tmp_path / 'file' / 'below'))


def test_a_place_for_a_file(tmp_path):
    path = tmp_path / 'new' / 'out.npz'
    assert require_writable_file(path) == str(path)
    assert os.listdir(tmp_path / 'new') == []
    with pytest.raises(DataError, match='new: is a folder; name a file'):
        require_writable_file(tmp_path / 'new')
    (tmp_path / 'file').write_text('')
    with pytest.raises(DataError, match='cannot be made .*another place'):
        require_writable_file(tmp_path / 'file' / 'out.npz')


def test_temporary_names_are_of_one_writer(tmp_path, monkeypatch):
    """Not of two calls, and not of two machines with the same process id."""
    path = str(tmp_path / 'file.bin')
    first, second = temporary_name(path), temporary_name(path)
    assert first != second and str(os.getpid()) in first
    monkeypatch.setattr('mmwsss.files.atomic.MACHINE', 'other')
    assert '.other.' in temporary_name(path)
    assert first.startswith(path) and first.endswith('.tmp')


def test_bytes_are_on_disk_before_the_name(tmp_path, monkeypatch):
    order = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, 'fsync',
                        lambda file: (order.append('fsync'), fsync(file)))
    monkeypatch.setattr(os, 'replace', lambda *names: (
        order.append('replace'), replace(*names)))
    write_atomically(str(tmp_path / 'file.bin'), b'here')
    assert order == ['fsync', 'replace', 'fsync']
