import json

import pytest

from mmwsss.datasets.label_files import (
    class_colours,
    find_label_source,
    named_classes,
)
from mmwsss.problems import DataError

CSV = 'image,labels\na.jpg,dog;person\nb.jpg,cat\nc.jpg,\n'
JSON = json.dumps({'a.jpg': ['dog', 'person'], 'b.jpg': ['cat']})
COCO = json.dumps(dict(
    images=[dict(id=1, file_name='a.jpg', height=4, width=4)],
    annotations=[dict(id=1, image_id=1, category_id=category,
                      bbox=[0, 0, 2, 2]) for category in (1, 2, 3)],
    categories=[dict(id=i, name=name) for i, name in enumerate(
        ('cat', 'dog', 'person'), start=1)]))


@pytest.mark.parametrize('name, text, kind', [
    ('labels.csv', CSV, 'TableLabels'), ('labels.CSV', CSV, 'TableLabels'),
    ('labels.tsv', CSV.replace(',', '\t'), 'TableLabels'),
    ('labels.json', JSON, 'TableLabels'), ('coco.json', COCO, 'COCOLabels')])
def test_classes_are_those_that_the_file_names(tmp_path, name, text, kind):
    (tmp_path / name).write_text(text)
    source = find_label_source(str(tmp_path / name))
    assert source['type'] == kind
    assert named_classes(source, str(tmp_path)) == ['cat', 'dog', 'person']


@pytest.mark.parametrize('name, text, message', [
    ('labels.txt', CSV, 'no kind of label file'),
    ('labels.csv', 'image,labels\na.jpg,\n', 'names no class'),
    ('labels.csv', 'image,labels\na.jpg,background\n', "'background' is no"),
    ('labels.csv', 'image,labels\na.jpg,dog,cat\n', 'expected 2 fields'),
    ('labels.csv', 'name,tags\na.jpg,dog\n', 'expected the header'),
    ('labels.json', '{', 'not valid JSON')])
def test_what_is_no_file_of_labels(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=message):
        named_classes(find_label_source(str(tmp_path / name)),
                      str(tmp_path))


def test_no_file(tmp_path):
    with pytest.raises(DataError, match='labels.csv: no such file'):
        find_label_source(str(tmp_path / 'labels.csv'))


@pytest.mark.parametrize('count', [2, 3, 21, 81])
def test_colours_are_told_apart(count):
    colours = class_colours([str(i) for i in range(count)])
    assert colours[0] == [0, 0, 0]
    assert len({tuple(colour) for colour in colours}) == count
    assert all(0 <= part <= 255 for colour in colours for part in colour)
    assert min(max(abs(a - b) for a, b in zip(one, other))
               for one in colours[:21] for other in colours[:21]
               if one != other) >= 20
