"""Tables of comma-separated values, good and broken."""
import pytest

from mmwsss.files.csv_files import read_csv, write_csv
from mmwsss.problems import DataError, Problems


def rows(tmp_path, text, encoding='utf-8'):
    path = tmp_path / 'a.csv'
    path.write_bytes(text.encode(encoding))
    problems = Problems('a')
    found = [(int(where.rpartition(' ')[2]), row)
             for where, row in read_csv(str(path), problems)]
    problems.raise_if_any()
    return found


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16'])
@pytest.mark.parametrize('end', ['\n', '\r\n', '\r'])
def test_rows_and_their_lines(tmp_path, encoding, end):
    text = end.join(['a, b', '', ' , ', '"x, y",é', ''])
    assert rows(tmp_path, text, encoding) == [
        (1, ['a', 'b']), (4, ['x, y', 'é'])]


@pytest.mark.parametrize('text, line', [
    ('a,b\n"c,d\ne,f\n', 2), ('a,"b"c\n', 1),
    ('a,b\nc,"d\n', 2), ('a\n' + 'x' * 131073 + '\n', 2),
    ('a,b\nc,"d\ne,"f\n', 2), ('a,b\n"c\nd",e\nf,g\n', 2)])
def test_broken_rows_name_file_and_line(tmp_path, text, line):
    with pytest.raises(DataError, match=rf'a\.csv line {line}: .*quote'):
        rows(tmp_path, text)


@pytest.mark.parametrize('table', [
    [['image', 'labels'], ['a.jpg', 'cat;dog']],
    [['a, b', 'the "best"'], ['été', '狗'], ['', 'x']], []])
def test_what_is_written_is_read_again(tmp_path, table):
    path = tmp_path / 'new' / 'a.csv'
    write_csv(str(path), iter(table))
    assert b'\r' not in path.read_bytes()
    problems = Problems('a')
    assert [row for _, row in read_csv(str(path), problems)] == table
    problems.raise_if_any()
    assert [one.name for one in path.parent.iterdir()] == ['a.csv']
