"""Digests of files."""
import os

from mmwsss.files.digests import file_digest, folder_digest


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


def test_a_folder_is_its_files_wherever_it_lies(tmp_path):
    def write(folder, **files):
        (tmp_path / folder).mkdir(exist_ok=True)
        for name, content in files.items():
            (tmp_path / folder / name.replace('_', '.')).write_text(content)
        return folder_digest(str(tmp_path / folder), ('.png', '.json'))

    first = write('a', x_png='1', y_json='2')
    assert first == write('b', x_png='1', y_json='2', z_txt='3', _z_png='4')
    others = {write('b', x_png='2'), write('c', x_png='1', z_json='2'),
              write('d', x_png='12', y_json=''),
              write('e', x_png='1', y_json='2', z_png='')}
    assert len(others - {first}) == 4
    os.utime(tmp_path / 'a' / 'x.png', ns=(1, 1))
    assert write('a') == first
