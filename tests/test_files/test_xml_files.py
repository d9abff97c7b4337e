"""XML of annotations: encodings, and what is refused."""

import pytest

from mmwsss.files.xml_files import read_xml
from mmwsss.problems import DataError

BODY = '<annotation><object><name>café</name></object></annotation>'
LAUGHS = '<!DOCTYPE a [<!ENTITY l0 "lol">' + ''.join(
    f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10)) + (
        ']><annotation>&l9;</annotation>')


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16',
                                      'iso-8859-1', 'windows-1252'])
def test_encodings_that_are_read(tmp_path, encoding):
    path = tmp_path / 'a.xml'
    name = encoding.replace('-sig', '')
    path.write_bytes(f'<?xml version="1.0" encoding="{name}"?>{BODY}'.encode(
        encoding))
    assert read_xml(str(path)).findtext('object/name') == 'café'


@pytest.mark.parametrize('content, message', [
    (b'<?xml version="1.0" encoding="gb2312"?><a/>', 'line 1: .*UTF-8'),
    (b'<?xml version="1.0" encoding="Shift_JIS"?><a/>', 'line 1: .*UTF-8'),
    (b'<?xml version="1.0" encoding="klingon"?><a/>', 'line 1: .*UTF-8'),
    ('<?xml version="1.0"?>\n<a>é</a>'.encode('latin-1'), 'line 2: not valid'),
    (b'<a>\n<b>\n</a>', 'line 3: not valid XML'), (b'', 'line 1: not valid'),
    (b'\n<?xml version="1.0"?><a/>', 'not valid XML'),
    (b'no XML', 'line 1: not valid XML'), (b'<a>\0</a>', 'not valid XML'),
    (LAUGHS.encode(), "line 1: it defines the entity 'l0'"),
    (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
     "defines the entity 'x'"),
    (b'<!DOCTYPE a [<!ENTITY % x "y">]><a/>', "defines the entity 'x'"),
    (b'<a>' * 100000 + b'</a>' * 100000, '100 levels deep'),
    (b'<a>' + b'<b/>' * 100001 + b'</a>', 'over 100,000 elements'),
    (b'<a ' + b' '.join(b'x%d=""' % i for i in range(1001)) + b'/>',
     'an element of 1,001 attributes')])
def test_what_is_refused_names_the_file(tmp_path, content, message):
    path = tmp_path / 'a.xml'
    path.write_bytes(content)
    with pytest.raises(DataError, match=f'(?s)a.xml.*{message}'):
        read_xml(str(path))


def test_files_that_are_not_there_or_huge(tmp_path):
    with pytest.raises(DataError, match='a.xml: cannot be read'):
        read_xml(str(tmp_path / 'a.xml'))
    with open(tmp_path / 'b.xml', 'wb') as file:
        file.truncate(9 << 20)
    with pytest.raises(DataError, match='b.xml: over 8 MiB'):
        read_xml(str(tmp_path / 'b.xml'))
