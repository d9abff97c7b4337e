"""Text files of every encoding that people save."""
import pytest

from mmwsss.files.text_files import read_lines, read_text
from mmwsss.problems import DataError

TEXT = 'café\nnaïve 猫\n'


@pytest.mark.parametrize('encoding', [
    'utf-8', 'utf-8-sig', 'utf-16', 'utf-16-le', 'utf-16-be', 'utf-32'])
def test_unicode_with_its_mark_is_read(tmp_path, encoding):
    path = tmp_path / 'a.txt'
    mark = '\ufeff' if encoding in ('utf-16-le', 'utf-16-be') else ''
    path.write_bytes((mark + TEXT).encode(encoding))
    assert read_text(str(path)) == TEXT
    assert read_lines(str(path)) == ['café', 'naïve 猫']


@pytest.mark.parametrize('content, line', [
    ('dog\ncafé\n'.encode('cp1252'), 2), ('猫狗'.encode('gb2312'), 1),
    ('猫'.encode('shift_jis'), 1), (b'a\nb\nc\xff', 3),
    ('dog\n'.encode('utf-16-le'), 1), (b'a\nb\0\n', 2),
    ('café'.encode()[:-1], 1)])
def test_anything_else_names_file_line_and_remedy(tmp_path, content, line):
    path = tmp_path / 'a.txt'
    path.write_bytes(content)
    with pytest.raises(DataError, match=f'a.txt line {line}: .*UTF-8'):
        read_text(str(path))


def test_cut_utf_16_and_files_that_cannot_be_read(tmp_path):
    path = tmp_path / 'a.txt'
    path.write_bytes('dog'.encode('utf-16')[:-1])
    with pytest.raises(DataError, match='a.txt: begins as UTF-16, but'):
        read_text(str(path))
    with pytest.raises(DataError, match='cannot be read'):
        read_text(str(tmp_path))


def test_lines_end_at_line_ends_only(tmp_path):
    path = tmp_path / 'a.txt'
    path.write_bytes('a\r\nb\rc\n\nd\u2028e\x0cf'.encode())
    assert read_lines(str(path)) == ['a', 'b', 'c', '', 'd\u2028e\x0cf']
