"""Image-level labels from every source, and everything wrong with them."""
import csv
import json
import os
import os.path as osp

import numpy as np
import pytest
from PIL import Image
from shapes import dataset_config

from mmwsss.datasets.label_sources import NpyLabels
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


@pytest.mark.parametrize('text', [
    'image;labels\n{rows}', 'sep=;\r\nimage;labels\r\n{rows}',
    '\ufeffimage;labels;;\n{rows}', 'image\tlabels\n{tabs}',
    'Image ; Labels\n{rows}', 'IMAGE\tLABELS \n{tabs}'])
def test_tables_of_excel(shapes, text):
    rows = [['img0.jpg', '"red;blue"'], ['img1.jpg', 'red', 'blue', ''],
            *good_rows()[2:]]
    tabs = [['img0.jpg', 'red;blue'], ['img1.jpg', 'red;blue'], *rows[2:]]
    text = text.format(rows='\n'.join(map(';'.join, rows)),
                       tabs='\n'.join(map('\t'.join, tabs)))
    with open(osp.join(shapes, 'labels.csv'), 'w', newline='') as file:
        file.write(text)
    labels = build(shapes).labels
    assert labels[:2].tolist() == [[1, 1], [1, 1]]
    np.testing.assert_array_equal(labels[2:], EXPECTED[2:])


@pytest.mark.parametrize('text, message', [
    ('image;label\n', "expected the header 'image,labels', got "
     "'image;label'"),
    ('image;labels\nimg0.jpg;red;bleu\n', "line 2: unknown class 'bleu'"),
    ('image;labels\nimg0.jpg\n', 'img0.jpg: no class at all'),
    ('image;labels\nimg0.jpg;red,blue\n', "line 2: a comma in 'red,blue'"),
    ('image\tlabels\nimg0.jpg\tred,blue\n', "a comma in 'red,blue'"),
])
def test_wrong_tables_of_excel(shapes, text, message):
    rows = [row for row in good_rows() if row[0] not in text]
    with open(osp.join(shapes, 'labels.csv'), 'w') as file:
        between = '\t' if '\t' in text else ';'
        file.write(text + '\n'.join(map(between.join, rows)))
    assert message in problems(shapes)


def in_folders(root, folders):
    """Move the photos into folders."""
    photos = osp.join(root, 'JPEGImages')
    for number, folder in enumerate(folders):
        os.makedirs(osp.join(photos, folder), exist_ok=True)
        os.rename(osp.join(photos, f'img{number}.jpg'),
                  osp.join(photos, folder, f'img{number}.jpg'))


def of_folders(root, **kwargs):
    return build(root, dict(type='FolderLabels', **kwargs), ann_file='',
                 data_prefix=dict(img_path='JPEGImages'))


def test_a_folder_a_class(shapes):
    in_folders(shapes, ['red', 'blue', 'red/2021', 'blue', 'red; blue', 'blue',
                        'blue/red', 'blue'])
    data = of_folders(shapes)
    labels = dict(zip((osp.basename(data.get_data_info(i)['img_path'])
                       for i in range(8)), data.labels.tolist()))
    assert labels['img4.jpg'] == [1, 1]
    red = [name for name, label in labels.items() if label == [1, 0]]
    assert sorted(red) == ['img0.jpg', 'img2.jpg', 'img6.jpg']


@pytest.mark.parametrize('folder, message', [
    ('bleu', "unknown class 'bleu' (did you mean 'blue'?)"),
    ('', "unknown class 'JPEGImages'"), ('red;green', 'img0.jpg'),
    ('sky', "unknown class 'sky'")])
def test_a_folder_of_no_class(shapes, folder, message):
    in_folders(shapes, [folder, *(('red', 'blue')[i % 2]
                                  for i in range(1, 8))])
    with pytest.raises(DataError) as caught:
        of_folders(shapes)
    assert message in str(caught.value)
    assert of_folders(shapes, allow_empty=True).labels.sum() == 7


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


@pytest.mark.parametrize('header, remedy', [
    ('filename,tags', "write 'image,labels' in the first line, instead of "
     "'filename,tags'"),
    ('image,label', "in the first line, instead of 'image,label'"),
    ('img0.jpg,red', "write 'image,labels' in the first line, above this"),
    ('', "in the first line, and below it a line a photo, 'beach.jpg,dog;"),
    ('image,red,blue', 'a column a class is not read'),
    ('File_Name;red;blue;green', "second field, 'beach.jpg,dog;person'"),
    ('\tred\tblue', 'a column a class is not read')])
def test_a_header_says_how_to_write_it(shapes, header, remedy):
    write_bytes(shapes, 'labels.csv', header.encode())
    message = problems(shapes)
    assert remedy in message and 'labels.csv line 1' in message
    assert '\n' not in message


@pytest.mark.parametrize('wrong, line', [
    ('bleu', "line 2: unknown class 'bleu' (did you mean 'blue'?); also "
     'line 3, line 4, line 5, line 6 and 3 more'),
    ('red,blue', "line 2: a comma in 'red,blue' (separate class names by ';')"
     '; also line 3, line 4, line 5, line 6 and 3 more'),
    ('', 'img0.jpg: no class at all (remove it from the list, or set '
     'allow_empty=True); also img1.jpg, img2.jpg, img3.jpg, img4.jpg and 3 '
     'more')])
def test_a_mistake_of_every_row_is_one_line(shapes, wrong, line):
    write_rows(shapes, [[f'img{i}.jpg', wrong] for i in range(8)])
    message = problems(shapes).splitlines()
    assert message[0].endswith((': 8 problem(s)', ': 16 problem(s)'))
    assert message[1].endswith(line) and len(message) < 4


def test_photos_without_labels_are_one_line(shapes):
    write_rows(shapes, good_rows()[:1])
    title, line = problems(shapes).splitlines()
    assert title.endswith(': 7 problem(s)') and line.endswith(
        'also img2.jpg, img3.jpg, img4.jpg, img5.jpg and 2 more')
    assert 'no labels for image' in line and 'img1.jpg; add them' in line


@pytest.mark.parametrize('unlabelled', [True, False])
def test_rows_without_a_photo_are_named(shapes, unlabelled):
    write_rows(shapes, [*good_rows()[unlabelled:], ['nix.jpg', 'red'],
                        *([f'gone{i}.png', 'blue'] for i in range(6))])
    message = problems(shapes, ann_file='')
    first = 10 - unlabelled
    assert (f"labels.csv line {first}: no photo 'nix.jpg' in the folder; put "
            f"it there or take the line out; also line {first + 1} "
            "('gone0.png'), ") in message
    assert message.endswith(' and 2 more')
    assert ('no labels for image' in message) == unlabelled
    if unlabelled:  # a list may lack what a table names
        assert 'nix' not in problems(shapes)


def test_missing_file_names_it(shapes):
    source = dict(type='TableLabels', file='none.csv')
    assert 'none.csv: no such file' in problems(shapes, source)


def test_mask_value_outside_the_class_list(shapes):
    path = osp.join(shapes, 'SegmentationClassAug', 'img3.png')
    Image.fromarray(np.full((48, 64), 9, np.uint8)).save(path)
    message = problems(shapes, dict(type='MaskLabels'))
    assert 'img3.png: value 9, but there are 3 classes' in message


def write_bytes(root, name, content):
    with open(osp.join(root, name), 'wb') as file:
        file.write(content)


def csv_text():
    return '\n'.join(map(','.join, [['image', 'labels'], *good_rows()]))


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16'])
@pytest.mark.parametrize('kind', ['csv', 'json', 'coco'])
def test_tables_of_every_unicode_encoding(shapes, kind, encoding):
    source = dict(type='TableLabels', file=f'labels.{kind}')
    text = csv_text()
    if kind == 'json':
        text = json.dumps({name: [label] for name, label in good_rows()})
    elif kind == 'coco':
        source = coco(shapes)
        with open(osp.join(shapes, 'coco.json')) as file:
            text = file.read()
    write_bytes(shapes, source['file'], text.encode(encoding))
    np.testing.assert_array_equal(build(shapes, source).labels, EXPECTED)


@pytest.mark.parametrize('content, message', [
    ((csv_text() + '\ncafé.jpg,red\n').encode('cp1252'),
     'labels.csv line 10: byte 0xe9 is not UTF-8'),
    ((csv_text() + '\n猫狗.jpg,red\n').encode('gb2312'), 'line 10: byte'),
    (csv_text().encode('utf-16-le'), 'labels.csv line 1: a zero byte'),
    ((csv_text() + '\nx.jpg,"red\n').encode(), 'labels.csv line 10: '),
    ((csv_text() + '\nx.jpg,"' + 'red;' * 50000 + '"\n').encode(),
     'labels.csv line 10: no row of a table (field larger'),
    ((csv_text() + '\n,red\n').encode(), 'line 10: no image name'),
    (b'', 'labels.csv line 1: expected the header'),
])
def test_broken_csv_names_file_and_line(shapes, content, message):
    write_bytes(shapes, 'labels.csv', content)
    assert message in problems(shapes)


@pytest.mark.parametrize('content, message', [
    ('{"img0.jpg": [0]}', "entry 1: [0] for 'img0.jpg', expected names"),
    ('{"img0.jpg": [["red"]]}', 'entry 1: [['),
    ('{"img0.jpg": [null]}', 'entry 1: [None]'),
    ('{"img0.jpg": "red"}', 'entry 1: expected an image name and a list'),
    ('{"img0.jpg": {"red": 1}}', 'entry 1: expected an image name and'),
    ('{"": ["red"]}', 'entry 1: expected an image name'),
    ('["img0.jpg"]', "entry 1: 'img0.jpg', expected"),
    ('[["img0.jpg", "red"]]', 'entry 1: ['), ('[7, {}]', 'entry 2: expected'),
    ('[{"image": 5, "labels": ["red"]}]', 'entry 1: expected an image name'),
    ('"img0.jpg"', "labels.json: expected {"), ('3', 'labels.json: expected'),
    ('{"img0.jpg": ' + '[' * 100000 + ']' * 100000 + '}', 'brackets inside'),
    ('{"img0.jpg": ' + '[' * 500 + ']' * 500 + '}', 'entry 1: [['),
    ('{"img0.jpg": ["red"], "img0": ["blue"]}', 'entry 2: image'),
])
def test_broken_json_names_file_and_entry(shapes, content, message):
    write_bytes(shapes, 'labels.json', content.encode())
    report = problems(shapes, dict(type='TableLabels', file='labels.json'))
    assert message in report and 'labels.json' in report
    # Whatever the file holds; the folder's own name is not short here.
    assert all(len(line.replace(str(shapes), '')) < 300
               for line in report.splitlines())


@pytest.mark.parametrize('extra, message', [
    (dict(image_id='0', category_id=3), "annotation 9: image id '0' is not"),
    (dict(image_id=99, category_id=3), 'annotation 9: image id 99 is not'),
    (dict(image_id=0), "annotation 9: no 'category_id'"),
    (dict(category_id=3), "annotation 9: no 'image_id'"),
    (dict(image_id=0, category_id='3'), "annotation 9: category id '3'"),
])
def test_coco_annotations_are_never_passed_over(shapes, extra, message):
    source = dict(coco(shapes, [extra]), allow_empty=True)
    report = problems(shapes, source)
    assert 'coco.json' in report and message in report


@pytest.mark.parametrize('xml, message', [
    ('<?xml version="1.0" encoding="gb2312"?><annotation/>', 'line 1: its'),
    ('<annotation>\n<object>', 'line 2: not valid XML'),
    ('<html><body/></html>', 'begins with <html>'),
    ('<annotation><object><name>red</name><difficult>x</difficult></object>'
     '</annotation>', "difficult is 'x', expected 0 or 1"),
    ('<!DOCTYPE a [<!ENTITY b "c">]><annotation/>', "the entity 'b'"),
])
def test_broken_xml_names_the_file(shapes, xml, message):
    write_bytes(shapes, 'img0.xml', xml.encode())
    report = problems(shapes, dict(type='VOCXMLLabels', folder='.'))
    [line] = [line for line in report.splitlines() if 'img0.xml' in line]
    assert message in line


@pytest.mark.parametrize('difficult', ['1', ' 1 ', '\n1\n', '0', '', None])
def test_difficult_objects_however_they_are_marked(shapes, difficult):
    mark = '' if difficult is None else f'<difficult>{difficult}</difficult>'
    for name, label in good_rows():
        write_bytes(shapes, name[:-4] + '.xml', (
            f'<annotation><object><name>{label}</name></object><object><name>'
            f'red</name>{mark}</object></annotation>').encode())
    labels = build(shapes, dict(type='VOCXMLLabels', folder='.',
                                use_difficult=False)).labels
    if (difficult or '').strip() == '1':
        np.testing.assert_array_equal(labels, EXPECTED)
    else:
        assert labels[:, 0].all()


def rename_photos(root, names):
    for i, name in enumerate(names):
        os.rename(osp.join(root, 'JPEGImages', f'img{i}.jpg'),
                  osp.join(root, 'JPEGImages', f'{name}.jpg'))


@pytest.mark.parametrize('names, key', [
    ([f'2007_00003{i}' for i in range(8)], lambda i: 2007000030 + i),
    ([f'COCO_train2014_{i:012d}' for i in range(8)], lambda i: i),
    ([f'{i:012d}' for i in range(8)], lambda i: i),
    ([str(2007000030 + i) for i in range(8)], lambda i: 2007000030 + i),
    ([f'2007_00003{i}' for i in range(8)],
     lambda i: np.int32(2007000030 + i)),
    ([f'{i:012d}' for i in range(8)], lambda i: f'{i:012d}.jpg'),
    ([f'a.{i}' for i in range(8)], lambda i: f'a.{i}'),
    ([f'a{i}' for i in range(8)], lambda i: f'a{i}'.encode()),
])
def test_image_ids_of_the_fields_npy_labels(shapes, names, key):
    rename_photos(shapes, names)
    np.save(osp.join(shapes, 'cls.npy'),
            {key(i): EXPECTED[i] for i in range(8)})
    data = build(shapes, dict(type='NpyLabels', file='cls.npy'), ann_file='',
                 data_prefix=dict(img_path='JPEGImages'))
    np.testing.assert_array_equal(data.labels, EXPECTED)


@pytest.mark.parametrize('key, vector, message', [
    (2.5, [1, 0], 'neither the name nor the number'),
    (True, [1, 0], 'neither the name nor the number'),
    ('img0', 'dog', 'not a vector of numbers'),
    ('img0', [[1], [1, 0]], 'not a vector of numbers'),
    ('img0', [2, 0], 'values other than 0 and 1'),
    ('img0', [float('nan'), 0], 'values other than 0 and 1'),
])
def test_npy_labels_that_are_none(shapes, key, vector, message):
    np.save(osp.join(shapes, 'cls.npy'), {key: vector})
    report = problems(shapes, dict(type='NpyLabels', file='cls.npy'))
    assert f'cls.npy entry {key!r}: {message}' in report


@pytest.mark.parametrize('names, rows', [
    (['v1.2'], ['v1.2']), (['v1.2'], ['v1.2.jpg']), (['v1'], ['v1.png']),
    (['a', 'a.b'], ['a.jpg', 'a.b']), (['cafe\u0301'], ['caf\xe9.jpg']),
    (['caf\xe9'], ['cafe\u0301']), (['a'], ['photos\\a.jpg']),
    (['a'], ['C:\\photos\\a.jpg'])])
def test_names_in_tables(shapes, names, rows):
    rename_photos(shapes, names)
    labels = ['red', 'blue'][-len(rows):]
    write_bytes(shapes, 'labels.csv', '\n'.join(
        ['image,labels', *(f'{row},{label}' for row, label in
                           zip(rows, labels))]).encode())
    write_bytes(shapes, 'lists/train.txt', '\n'.join(names).encode())
    data = build(shapes)
    np.testing.assert_array_equal(data.labels, np.eye(2)[-len(rows):])
    # The masks were img0 and img1; ids with dots keep all their parts.
    assert [data.get_data_info(i)['sample_id'] for i in range(len(data))] == (
        names)


def test_classes_with_accents_in_either_form(shapes):
    write_rows(shapes, [[f'img{i}.jpg', 'cafe\u0301'] for i in range(8)])
    classes = dict(classes=('background', 'caf\xe9', 'blue'),
                   palette=[[0, 0, 0]] * 3)
    assert build(shapes, metainfo=classes).labels[:, 0].all()


def test_a_thousand_misspelt_names_take_no_time(shapes):
    classes = [f'a class of words number {i}' for i in range(250)]
    write_rows(shapes, [[f'x{i}.jpg', f'a klass of words numbr {i}']
                        for i in range(1000)])
    report = problems(shapes, metainfo=dict(
        classes=('background', *classes), palette=[[0, 0, 0]] * 251))
    assert 'did you mean' in report and '... and 988 more' in report


def test_numbers_of_irn_for_image_ids(tmp_path):
    np.save(tmp_path / 'cls_labels.npy', {
        2007000032: np.float32([1, 0]), 2011003276: np.float32([0, 1])})
    labels = NpyLabels('cls_labels.npy').load(
        [dict(img_path='2011_003276.jpg'), dict(img_path='2007_000032.jpg')],
        ['dog', 'person'], str(tmp_path))
    assert labels.tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize('listed', [True, False])
@pytest.mark.parametrize('written', ['imgg3.jpg', 'imq3', 'img3x.jpg'])
def test_a_misspelt_photo_is_named_from_both_sides(shapes, written, listed):
    rows = good_rows()
    rows[3][0] = written
    write_rows(shapes, rows)
    message = problems(shapes, **({} if listed else dict(ann_file='')))
    name = osp.splitext(written)[0]
    assert (f"labels.csv line 5: no photo '{name}.jpg' (did you mean "
            "'img3.jpg', which has no labels?)") in message
    assert '1 problem' in message


def test_a_row_of_another_list_is_not_called_misspelt(shapes):
    write_rows(shapes, good_rows()[:3] + good_rows()[4:])
    with open(osp.join(shapes, 'lists', 'train.txt'), 'w') as file:
        file.write('img3\nimg0\n')
    message = problems(shapes)
    assert 'did you mean' not in message and 'img3.jpg' in message
