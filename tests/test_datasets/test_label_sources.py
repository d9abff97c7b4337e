"""Image-level labels from every source, and everything wrong with them."""
import csv
import json
import os
import os.path as osp

import numpy as np
import pytest
from PIL import Image
from shapes import dataset_config

from mmwsss.problems import DataError
from mmwsss.registry import DATASETS

EXPECTED = np.eye(2, dtype=np.float32)[[0, 1] * 4]


def build(root, source=None, **kwargs):
    if source is not None:
        kwargs['label_source'] = source
    return DATASETS.build(dataset_config(root, **kwargs))


def write_rows(root, rows):
    with open(osp.join(root, 'labels.csv'), 'w', newline='') as file:
        csv.writer(file).writerows([['image', 'labels'], *rows])


def good_rows():
    return [[f'img{i}.jpg', ('red', 'blue')[i % 2]] for i in range(8)]


def problems(root, *args, **kwargs):
    with pytest.raises(DataError) as caught:
        build(root, *args, **kwargs)
    return str(caught.value)


def test_csv(shapes):
    np.testing.assert_array_equal(build(shapes).labels, EXPECTED)


def test_csv_several_classes_and_bare_names(shapes):
    write_rows(shapes, [['img0', 'red; blue'], *good_rows()[1:]])
    assert build(shapes).labels[0].tolist() == [1, 1]


@pytest.mark.parametrize('as_list', [True, False])
def test_json(shapes, as_list):
    content = {name: [label] for name, label in good_rows()}
    if as_list:
        content = [dict(image=k, labels=v) for k, v in content.items()]
    with open(osp.join(shapes, 'labels.json'), 'w') as file:
        json.dump(content, file)
    data = build(shapes, dict(type='TableLabels', file='labels.json'))
    np.testing.assert_array_equal(data.labels, EXPECTED)


def test_masks(shapes):
    data = build(shapes, dict(type='MaskLabels'))
    np.testing.assert_array_equal(data.labels, EXPECTED)


def test_voc_xml(shapes):
    os.makedirs(osp.join(shapes, 'Annotations'))
    for name, label in good_rows():
        with open(osp.join(shapes, 'Annotations', name[:-4] + '.xml'),
                  'w') as file:
            file.write(f'<annotation><object><name>{label}</name>'
                       '<difficult>1</difficult></object></annotation>')
    data = build(shapes, dict(type='VOCXMLLabels'))
    np.testing.assert_array_equal(data.labels, EXPECTED)
    message = problems(shapes, dict(type='VOCXMLLabels', use_difficult=False))
    assert 'no class at all' in message


def coco(root, extra=()):
    names = [name for name, _ in good_rows()]
    content = dict(
        images=[dict(id=i, file_name=n) for i, n in enumerate(names)],
        categories=[dict(id=3, name='red'), dict(id=7, name='blue')],
        annotations=[dict(image_id=i, category_id=(3, 7)[i % 2])
                     for i in range(8)] + list(extra))
    with open(osp.join(root, 'coco.json'), 'w') as file:
        json.dump(content, file)
    return dict(type='COCOLabels', file='coco.json')


def test_coco(shapes):
    np.testing.assert_array_equal(build(shapes, coco(shapes)).labels, EXPECTED)


def test_coco_unknown_category(shapes):
    source = coco(shapes, [dict(image_id=0, category_id=99)])
    assert 'annotation 9: category id 99' in problems(shapes, source)


def test_cls_labels_npy(shapes):
    np.save(osp.join(shapes, 'cls.npy'),
            {f'img{i}': EXPECTED[i] for i in range(8)})
    data = build(shapes, dict(type='NpyLabels', file='cls.npy'))
    np.testing.assert_array_equal(data.labels, EXPECTED)


def test_npy_of_another_class_count(shapes):
    np.save(osp.join(shapes, 'cls.npy'),
            {f'img{i}': np.zeros(5) for i in range(8)})
    message = problems(shapes, dict(type='NpyLabels', file='cls.npy'))
    assert "'img0': shape (5,), but the data set has 2 classes" in message


def test_all_problems_of_a_table_are_reported_together(shapes):
    write_rows(shapes, [['img0.jpg', 'redd'], ['img1.jpg', 'blue'],
                        ['img1.jpg', 'blue'], ['img2.jpg', 'red', 'blue'],
                        *good_rows()[3:7]])
    message = problems(shapes)
    assert "line 2: unknown class 'redd' (did you mean 'red'?)" in message
    assert "line 4: image 'img1.jpg' stands there a second time" in message
    assert 'line 5: expected 2 fields, got 3' in message
    assert 'no labels for image' in message and 'img7.jpg' in message


def test_image_without_a_class(shapes):
    write_rows(shapes, [['img0.jpg', ''], *good_rows()[1:]])
    assert 'img0.jpg: no class at all' in problems(shapes)
    source = dict(type='TableLabels', file='labels.csv', allow_empty=True)
    assert build(shapes, source).labels[0].sum() == 0


def test_wrong_header(shapes):
    with open(osp.join(shapes, 'labels.csv'), 'w') as file:
        file.write('img0.jpg,red\n')
    assert "line 1: expected the header 'image,labels'" in problems(shapes)


def test_missing_file_names_it(shapes):
    source = dict(type='TableLabels', file='none.csv')
    assert 'none.csv: no such file' in problems(shapes, source)


def test_mask_value_outside_the_class_list(shapes):
    path = osp.join(shapes, 'SegmentationClassAug', 'img3.png')
    Image.fromarray(np.full((48, 64), 9, np.uint8)).save(path)
    message = problems(shapes, dict(type='MaskLabels'))
    assert 'img3.png: value 9, but there are 3 classes' in message
