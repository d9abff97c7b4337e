"""Class names and their words."""
import pytest
from clip_files import one_line

from mmwsss.datasets.class_prompts import (
    COCO80,
    VOC12,
    get_class_prompts,
    same_class,
)
from mmwsss.problems import DataError


def test_class_file(tmp_path):
    path = tmp_path / 'classes.txt'
    path.write_text('# mine\nsheep\n\nsofa, couch , settee\n')
    assert get_class_prompts(str(path)) == {
        'sheep': ('sheep', ), 'sofa': ('sofa', 'couch', 'settee')}
    for text, message in (('cat\ncat\n', 'line 2.*second time'),
                          ('cat,,dog\n', 'line 1.*empty word'),
                          ('\n', 'no class name')):
        path.write_text(text)
        with pytest.raises(DataError, match=message) as info:
            get_class_prompts(str(path))
        assert str(path) in one_line(info)


def test_no_two_classes_of_a_set_are_the_same():
    assert len(VOC12) == 20 and len(COCO80) == 80
    for classes in (VOC12, COCO80):
        for name in classes:
            assert [o for o in classes if same_class(name, o)] == [name]
    assert same_class('diningtable', 'Dining table')
    assert same_class('tvmonitor', 'tv') and same_class('sofa', 'couch')


@pytest.mark.parametrize('encoding', ['utf-8-sig', 'utf-16', 'cp1252'])
def test_class_lists_in_other_encodings(tmp_path, encoding):
    path = tmp_path / 'classes.txt'
    path.write_bytes('dog\r\nchâteau, castle\r\n'.encode(encoding))
    if encoding == 'cp1252':
        with pytest.raises(DataError, match='classes.txt line 2: byte 0xe2'):
            get_class_prompts(str(path))
    else:
        assert get_class_prompts(str(path)) == {
            'dog': ('dog', ), 'château': ('château', 'castle')}
