"""Names of classes that nobody can read are refused where they enter."""
import json
import os
import os.path as osp

import pytest
from tagged_photos import COSTS, make_tagged_photos, write_tags

from mmwsss.apis import plan
from mmwsss.datasets.class_names import check_class_names
from mmwsss.datasets.label_files import find_label_source, named_classes
from mmwsss.datasets.photo_folder import PhotoFolder
from mmwsss.problems import DataError

WRONG = ['', ' ', ' dog', 'dog ', '\t', 'a\nb', 'a\x00b', 'a\x1b[2Jb',
         'a\u2028b']


@pytest.mark.parametrize('name', WRONG)
def test_wrong_names(name):
    with pytest.raises(DataError) as error:
        check_class_names(['cat', name], 'labels.json')
    text = str(error.value)
    assert text.startswith('labels.json: the class name ')
    assert repr(name) in text and text.isprintable()


@pytest.mark.parametrize('name', ['', ' ', 'a\nb', 'a\x00b'])
@pytest.mark.parametrize('kind', ['table', 'coco'])
def test_label_files(tmp_path, name, kind):
    content = {'a.jpg': ['dog', name]} if kind == 'table' else dict(
        images=[dict(id=1, file_name='a.jpg', height=4, width=4)],
        annotations=[dict(id=1, image_id=1, category_id=1,
                          bbox=[0, 0, 2, 2])],
        categories=[dict(id=1, name=name)])
    (tmp_path / 'labels.json').write_text(json.dumps(content))
    with pytest.raises(DataError, match='labels.json.*name'):
        named_classes(find_label_source(str(tmp_path / 'labels.json')),
                      str(tmp_path))


def test_folders(tmp_path):
    (tmp_path / 'dog;').mkdir()
    with pytest.raises(DataError, match="the class name '' is empty"):
        named_classes(find_label_source(str(tmp_path)), str(tmp_path))


def test_metainfo(shapes):
    with pytest.raises(DataError, match='metainfo.classes: the class name'):
        PhotoFolder(data_root=shapes, data_prefix=dict(img_path='JPEGImages'),
                    metainfo=dict(classes=('background', 'a\nb')),
                    pipeline=[])


def test_no_path_is_made_of_a_name(tmp_path, monkeypatch):
    """What looks like one is a name as any other."""
    photos, labels = make_tagged_photos(tmp_path / 'project')
    names = ['../../dog', '/tmp/a b', 'con;', '~', "it's"]
    rows = [(name, names[i % 5].rstrip(';')) for i, name in enumerate(sorted(
        osp.basename(name) for _, _, found in os.walk(photos)
        for name in found))]
    write_tags(labels, rows)
    monkeypatch.setattr('mmwsss.apis.planning.measure_costs',
                        lambda *args: COSTS)
    before = set(tmp_path.rglob('*'))
    made = plan(photos, labels, str(tmp_path / 'project' / 'run'),
                weights='none', device='cpu')
    assert set(made['fingerprint']['classes']) == {
        name.rstrip(';') for name in names}
    new = set(tmp_path.rglob('*')) - before
    assert all((tmp_path / 'project' / 'run') in (path, *path.parents)
               for path in new)
    assert not [path for path in new if 'dog' in path.name]
