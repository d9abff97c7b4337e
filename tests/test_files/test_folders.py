"""Folders that change as a whole."""
import os

import pytest

from mmwsss.files.folders import replaced_folder
from mmwsss.problems import DataError


def fill(folder, **files):
    for name, text in files.items():
        with open(os.path.join(folder, name), 'w') as file:
            file.write(text)


@pytest.fixture
def target(tmp_path):
    path = tmp_path / 'masks'
    path.mkdir()
    fill(path, a='old', b='old')
    return path


def test_the_old_folder_stays_until_the_new_one_is_whole(target, tmp_path):
    with replaced_folder(str(target)) as new:
        fill(new, a='new')
        assert (target / 'a').read_text() == 'old'
    assert os.listdir(tmp_path) == ['masks']
    assert os.listdir(target) == ['a']
    assert (target / 'a').read_text() == 'new'


def test_what_fails_changes_nothing(target, tmp_path):
    with pytest.raises(KeyError), replaced_folder(str(target)) as new:
        fill(new, a='new')
        raise KeyError
    assert os.listdir(tmp_path) == ['masks']
    assert sorted(os.listdir(target)) == ['a', 'b']
    assert (target / 'a').read_text() == 'old'


def test_two_at_a_time(target, tmp_path):
    with replaced_folder(str(target)) as one:
        fill(one, a='one')
        with replaced_folder(str(target)) as two:
            fill(two, a='two', c='two')
        assert (target / 'a').read_text() == 'two'
    assert os.listdir(tmp_path) == ['masks']
    assert os.listdir(target) == ['a']


def test_no_room(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(DataError, match='masks: cannot be written'), \
            replaced_folder(str(tmp_path / 'file' / 'masks')):
        pass
