import os

import pytest

from mmwsss.files.near_paths import near_path


@pytest.mark.parametrize('path, folder, near', [
    ('/a/run/masks', '/a/run', 'masks'),
    ('/a/photos', '/a/run', '../photos'),
    ('/a/data/photos', '/a/run', '../data/photos'),
    ('/a/photos', '/a/work_dirs/fit', '../../photos'),
    ('/a/photos', '/a/work/dirs/fit', '/a/photos'),
    ('/photos', '/run', '/photos'),
    ('/data/photos', '/home/run', '/data/photos')])
def test_what_lies_near_is_found_from_the_folder(path, folder, near):
    assert near_path(path, folder) == near
    assert os.path.normpath(os.path.join(folder, near)) == path


def test_more_folders_are_left_where_it_is_asked_for():
    assert near_path('/a/photos', '/a/b/c/d', up=3) == '../../../photos'


@pytest.mark.parametrize('path', ['project/photos', 'disk/photos',
                                  'disk/run/a', 'project/run/a'])
def test_the_parent_of_a_link_is_not_taken_for_that_of_its_folder(
        tmp_path, path):
    for name in ('project/photos', 'disk/photos', 'disk/run'):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / 'project' / 'run').symlink_to(tmp_path / 'disk' / 'run')
    path, run = str(tmp_path / path), str(tmp_path / 'project' / 'run')
    found = near_path(path, run)
    for place in (os.path.join(run, found),  # as the system finds it
                  os.path.abspath(os.path.join(run, found))):
        assert os.path.realpath(place) == os.path.realpath(path)


def test_a_link_beside_the_folder_moves_with_it(tmp_path):
    for name in ('archive/pictures', 'project/run'):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / 'project' / 'photos').symlink_to(tmp_path / 'archive')
    assert near_path(str(tmp_path / 'project' / 'photos' / 'pictures'),
                     str(tmp_path / 'project' / 'run')
                     ) == '../photos/pictures'
