"""Photos that a list names, but that are not there."""
import pytest

from mmwsss.files.missing_photos import no_photo


@pytest.mark.parametrize('name, there, remedy', [
    ('img3.jpg', 'img3.png', "there is 'img3.png': name it so, or set "
     "img_suffix='.png'"),
    ('img3.jpg', 'img3.JPG', "img_suffix='.JPG'"),
    ('img3.png', 'img3.jfif', "there is 'img3.jfif'"),
    ('"img3".jpg', 'img3.jpg', 'without quotes, commas'),
    ("'img3',.jpg", 'img3.jpg', 'without quotes, commas'),
    ('img3 1.jpg', 'img3.jpg', 'further columns'),
    ('img3\t-1.jpg', 'img3.jpg', 'further columns'),
    ('# mine.jpg', 'img3.jpg', 'headings'),
    ('img3\u200b.jpg', 'img3.jpg', 'one name a line'),
    ('img4.jpg', 'img3.jpg', 'put it there or take it off the list'),
])
def test_the_line_says_what_to_do(tmp_path, name, there, remedy):
    (tmp_path / there).write_bytes(b'')
    line = no_photo(str(tmp_path / name))
    assert line.startswith(f'no image {tmp_path / name}') and remedy in line


def test_what_is_there_but_no_file(tmp_path):
    (tmp_path / 'a.jpg').symlink_to('nowhere')
    (tmp_path / 'b.jpg').mkdir()
    assert no_photo(str(tmp_path / 'a.jpg')).endswith('(broken link)')
    assert no_photo(str(tmp_path / 'b.jpg')).endswith('(is no file)')


def test_a_line_of_any_length_stays_short():
    assert len(no_photo('/photos/' + 'x' * 100_000)) < 500
