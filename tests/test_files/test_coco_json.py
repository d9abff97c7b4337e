"""COCO's JSON: what is read, and what is wrong in every entry."""
import json

import pytest

from mmwsss.files.coco_json import read_coco
from mmwsss.problems import DataError, Problems


def content(**changes):
    return dict(dict(
        images=[dict(id=i, file_name=f'p{i}.jpg', height=4, width=6)
                for i in range(2)],
        categories=[dict(id=3, name='red'), dict(id=7, name='blue')],
        annotations=[dict(id=i, image_id=i, category_id=3, segmentation=[])
                     for i in range(2)]), **changes)


def read(tmp_path, what, sizes=True):
    path = tmp_path / 'c.json'
    path.write_text(what if isinstance(what, str) else json.dumps(what))
    problems = Problems('COCO')
    coco = read_coco(str(path), problems, sizes)
    problems.raise_if_any()
    return coco


def test_entries(tmp_path):
    coco = read(tmp_path, content())
    assert coco.images[1].file_name == 'p1.jpg'
    assert coco.images[1].size == (4, 6)
    assert coco.categories == {3: 'red', 7: 'blue'}
    assert [(a.image, a.category) for a in coco.annotations] == [
        (0, 3), (1, 3)]


def test_numbers_that_other_tools_write(tmp_path):
    coco = read(tmp_path, content(
        images=[dict(id=5.0, file_name='a.jpg', height=480.0, width=640.0)],
        annotations=[dict(image_id=5, category_id=3.0)]))
    assert coco.images[5].size == (480, 640)
    assert isinstance(coco.images[5].size[0], int)
    # Ids that are words are fine where they are so everywhere.
    coco = read(tmp_path, content(
        images=[dict(id='x', file_name='a.jpg')],
        annotations=[dict(image_id='x', category_id=7)]), sizes=False)
    assert coco.annotations[0].image == 'x'


IMAGE = dict(id=0, file_name='p0.jpg', height=4, width=6)


@pytest.mark.parametrize('key, entry, message', [
    ('annotations', dict(id=9, image_id='0', category_id=3),
     "annotation 9: image id '0' is not among the images (there is 0"),
    ('annotations', dict(id=9, image_id=5, category_id=3), 'image id 5 is'),
    ('annotations', dict(id=9, image_id=None, category_id=3), 'id None is'),
    ('annotations', dict(id=9, image_id=[1], category_id=3), 'id [1] is not'),
    ('annotations', dict(id=9, image_id=True, category_id=3), 'id True is'),
    ('annotations', dict(id=9, image_id=0, category_id='3'),
     "annotation 9 of p0.jpg: category id '3' is not among the categories "
     '(there is 3'),
    ('annotations', dict(id=9, image_id=0, category_id={}), 'id {} is not'),
    ('annotations', dict(id=9, image_id=0), "annotation 1: no 'category_id'"),
    ('annotations', {}, "no 'image_id', 'category_id'"),
    ('annotations', 3, 'annotation 1: 3 is not an object'),
    ('categories', dict(id=3), "category 1: no 'name'"),
    ('categories', dict(id=None, name='x'), 'id None is not a number'),
    ('categories', dict(id=3, name=5), 'name 5 is not a name'),
    ('images', dict(IMAGE, file_name=7), 'file_name 7 is not a name'),
    ('images', dict(IMAGE, file_name=''), "file_name '' is not a name"),
    ('images', dict(IMAGE, file_name='a\0b'), 'is not a name'),
    ('images', dict(IMAGE, file_name='\ud800'), 'is not a name'),
    ('images', dict(IMAGE, id=[0]), 'image 1: id [0] is not a number'),
    ('images', dict(IMAGE, height=10 ** 6, width=10 ** 6),
     'image p0.jpg: height 1000000 and width 1000000 are not those'),
    ('images', dict(IMAGE, height=4.5), 'height 4.5 and width 6'),
    ('images', dict(IMAGE, height='4'), "height '4' and width 6"),
    ('images', dict(IMAGE, height=-4), 'height -4'),
    ('images', dict(IMAGE, width=float('nan')), 'width nan'),
    ('images', dict(IMAGE, width=float('inf')), 'width inf'),
    ('images', dict(IMAGE, width=None), 'width None'),
    ('images', dict(id=0, file_name='p0.jpg'),
     "image p0.jpg: no 'height', 'width'"),
])
def test_wrong_entries_are_named(tmp_path, key, entry, message):
    with pytest.raises(DataError) as caught:
        read(tmp_path, content(**{key: [entry]}))
    assert message in str(caught.value) and 'c.json' in str(caught.value)


@pytest.mark.parametrize('key, kind', [('images', 'image'),
                                       ('categories', 'category')])
def test_ids_that_are_listed_twice(tmp_path, key, kind):
    what = content()
    what[key].append(dict(what[key][0], file_name='x.jpg', name='x'))
    with pytest.raises(DataError, match=f'{kind} x.* a second time, by its'):
        read(tmp_path, what)


@pytest.mark.parametrize('what', [
    [], {}, 3, None, dict(images=[]), content(images={}),
    content(annotations=None), '[' * 100000, '{"images": ' * 5000])
def test_other_files(tmp_path, what):
    with pytest.raises(DataError, match='c.json: '):
        read(tmp_path, what)
