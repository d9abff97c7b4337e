"""Digests of files."""
import os

from mmwsss.files.digests import file_digest


def test_the_content_counts_and_not_the_name(tmp_path):
    for name, content in (('a', b'1'), ('b', b'1'), ('c', b'2')):
        (tmp_path / name).write_bytes(content)
    one, same, other = (file_digest(str(tmp_path / name)) for name in 'abc')
    assert one == same != other and len(one) == 16


def test_a_changed_file_is_read_again(tmp_path):
    path = tmp_path / 'a'
    path.write_bytes(b'1')
    before = file_digest(str(path))
    path.write_bytes(b'2')
    os.utime(path, ns=(1, 1))
    assert file_digest(str(path)) != before
