"""JSON files, with the place of a mistake."""
import numpy as np
import pytest

from mmwsss.files.json_files import read_json, write_json
from mmwsss.problems import DataError


def test_content_and_options(tmp_path):
    path = tmp_path / 'a.json'
    path.write_text('{"größe": 1.5}', encoding='utf-8')
    assert read_json(str(path)) == {'größe': 1.5}
    assert read_json(str(path), parse_float=str) == {'größe': '1.5'}


@pytest.mark.parametrize('content', [b'', b'{"a": 1,\n}', b'\xff\xfe{}'])
def test_damaged_files_are_named(tmp_path, content):
    path = tmp_path / 'a.json'
    path.write_bytes(content)
    with pytest.raises(DataError, match='a.json: not valid JSON'):
        read_json(str(path))


@pytest.mark.parametrize('encoding', ['utf-8-sig', 'utf-16'])
def test_a_byte_order_mark_is_no_content(tmp_path, encoding):
    path = tmp_path / 'a.json'
    path.write_bytes('{"größe": 1}'.encode(encoding))
    assert read_json(str(path)) == {'größe': 1}


@pytest.mark.parametrize('content, message', [
    (b'{"a": ' + b'1' * 5000 + b'}', 'a number of over 4,300 digits'),
    (b'{"gr\xf6\xdfe": 1}', 'line 1: byte 0xf6 is not UTF-8'),
    (b'[' * 100000 + b']' * 100000, 'brackets inside brackets'),
    (b'{"a": ' * 100000, 'brackets inside brackets'),
    (b'[1,\n2,\n', 'line 3 column 1'), (b'[' + b'9' * 5000 + b']', 'digits'),
    (b'{"a"\0: 1}', 'zero byte')])
def test_hostile_files_are_named_in_one_line(tmp_path, content, message):
    path = tmp_path / 'a.json'
    path.write_bytes(content)
    with pytest.raises(DataError, match=f'a.json.*{message}') as caught:
        read_json(str(path))
    assert len(str(caught.value).splitlines()) == 1
@pytest.mark.parametrize('value', [
    float('nan'), float('-inf'), np.float64('nan')])
def test_what_is_not_finite_is_null(tmp_path, value):
    path = str(tmp_path / 'a.json')
    write_json(path, dict(IoU={'red': value}, curve=[1.5, (value, 2)]))
    assert read_json(path, parse_constant=pytest.fail) == dict(
        IoU={'red': None}, curve=[1.5, [None, 2]])
