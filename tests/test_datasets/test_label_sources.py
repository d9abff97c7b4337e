"""Image-level labels from every source, and everything wrong with them."""
import csv
import json
import os
import os.path as osp
import pickle

import numpy as np
import pytest
from PIL import Image
from shapes import dataset_config

from mmwsss.files.safe_npy import load_npy_dict
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


class Malicious:

    def __reduce__(self):
        return os.system, ('touch npy_ran_code', )


def test_malicious_npy_is_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = str(tmp_path / 'cls.npy')
    np.save(path, {'img0': Malicious()})
    with pytest.raises(DataError, match=f'{path}.*system'):
        load_npy_dict(path)
    assert not osp.exists('npy_ran_code')


@pytest.mark.parametrize('content', [b'', b'no npy', pickle.dumps({'a': 1})])
def test_damaged_npy(tmp_path, content):
    path = tmp_path / 'cls.npy'
    path.write_bytes(content)
    with pytest.raises(DataError, match='cls.npy'):
        load_npy_dict(str(path))


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
    from PIL import Image
    path = osp.join(shapes, 'SegmentationClassAug', 'img3.png')
    Image.fromarray(np.full((48, 64), 9, np.uint8)).save(path)
    message = problems(shapes, dict(type='MaskLabels'))
    assert 'img3.png: mask value 9, but the data set has 2' in message


def test_list_and_image_problems_are_reported_together(shapes):
    with open(osp.join(shapes, 'lists', 'train.txt'), 'a') as file:
        file.write('img0\nghost\n')
    with open(osp.join(shapes, 'JPEGImages', 'img1.jpg'), 'wb') as file:
        file.write(b'not a picture')
    message = problems(shapes)
    assert 'line 9' in message and 'a second time (first: line 1)' in message
    assert 'line 10: no image' in message and 'ghost.jpg' in message
    assert 'line 2' in message and 'is not an image' in message


def test_voc_mini_labels(test_data):
    data = DATASETS.build(dict(
        type='VOC12ClsDataset', data_root=test_data('voc_mini'),
        data_prefix=dict(img_path='JPEGImages',
                         seg_map_path='SegmentationClassAug'),
        ann_file='ImageSets/Segmentation/val.txt',
        label_source=dict(type='NpyLabels', file='cls_labels.npy')))
    assert len(data) == 222
    dog = data.metainfo['classes'].index('dog') - 1
    assert data.labels[:, dog].sum() == 62


def test_folder_without_a_list_gives_photos_of_every_kind(shapes):
    folder = osp.join(shapes, 'JPEGImages')
    os.rename(osp.join(folder, 'img0.jpg'), osp.join(folder, 'img0.JPG'))
    Image.open(osp.join(folder, 'img1.jpg')).save(
        osp.join(folder, 'img1.png'))
    os.remove(osp.join(folder, 'img1.jpg'))
    with open(osp.join(folder, 'notes.txt'), 'w') as file:
        file.write('no photo')
    data = build(shapes, ann_file='')
    assert np.array_equal(data.labels, EXPECTED)
    assert data.get_data_info(1)['img_path'].endswith('img1.png')
    assert all(osp.isfile(data.get_data_info(i)['seg_map_path'])
               for i in range(8))


def test_two_photos_of_one_name(shapes):
    folder = osp.join(shapes, 'JPEGImages')
    os.mkdir(osp.join(folder, 'more'))
    Image.open(osp.join(folder, 'img2.jpg')).save(
        osp.join(folder, 'more', 'img2.png'))
    message = problems(shapes, ann_file='')
    assert 'more/img2.png and ' in message and 'rename one' in message


def test_folder_without_photos(shapes):
    for name in os.listdir(osp.join(shapes, 'JPEGImages')):
        os.remove(osp.join(shapes, 'JPEGImages', name))
    assert 'holds no photo' in problems(shapes, ann_file='')
