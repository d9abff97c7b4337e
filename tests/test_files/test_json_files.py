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


@pytest.mark.parametrize('value', [
    float('nan'), float('-inf'), np.float64('nan')])
def test_what_is_not_finite_is_null(tmp_path, value):
    path = str(tmp_path / 'a.json')
    write_json(path, dict(IoU={'red': value}, curve=[1.5, (value, 2)]))
    assert read_json(path, parse_constant=pytest.fail) == dict(
        IoU={'red': None}, curve=[1.5, [None, 2]])
