"""VOC 2012 and SBD as downloaded -> what the configs read."""
import os
import os.path as osp
import re
import zipfile

import numpy as np
import pytest
from command_lines import run_tool
from PIL import Image
from scipy.io import savemat

from mmwsss.datasets.voc12 import VOC12ClsDataset
from mmwsss.files.masks import read_mask, write_mask
from mmwsss.preparation.voc12 import convert_voc12
from mmwsss.problems import DataError
from mmwsss.registry import DATASETS

SIZE = (6, 9)  # height, width
PALETTE = VOC12ClsDataset.METAINFO['palette']
IDS = dict(train=['2007_000001', '2007_000002'],
           val=['2007_000003'],
           # SBD's lists know nothing of VOC's: 1 and 3 are VOC's, too.
           sbd_train=['2007_000001', '2008_000004'],
           sbd_val=['2007_000003', '2008_000005'])
ALL = sorted({name for ids in IDS.values() for name in ids})


def sbd_mask(name):
    mask = np.zeros(SIZE, np.uint8)
    mask[1:4, 2:5] = int(name[-1])
    return mask


def voc_mask(name):
    mask = sbd_mask(name)
    mask[4] = 255  # SBD has no border to ignore
    return mask


def write_lines(path, lines):
    os.makedirs(osp.dirname(path), exist_ok=True)
    with open(path, 'w') as file:
        file.write('\n'.join(lines) + '\n')


def write_mat(path, mask):
    os.makedirs(osp.dirname(path), exist_ok=True)
    savemat(path, dict(GTcls=dict(Segmentation=mask, Boundaries=0)),
            do_compression=True)


@pytest.fixture
def voc(tmp_path):
    """A VOC 2012 of three photos, and two that SBD adds."""
    root = str(tmp_path / 'VOC2012')
    os.makedirs(osp.join(root, 'JPEGImages'))
    for name in ALL:
        Image.new('RGB', SIZE[::-1]).save(
            osp.join(root, 'JPEGImages', f'{name}.jpg'))
        write_lines(osp.join(root, 'Annotations', f'{name}.xml'), [
            '<annotation><object><name>dog</name><difficult>1</difficult>'
            '</object><object><name>person</name></object></annotation>'])
    for split in ('train', 'val'):
        write_lines(osp.join(root, 'ImageSets', 'Segmentation',
                             f'{split}.txt'), IDS[split])
        for name in IDS[split]:
            write_mask(osp.join(root, 'SegmentationClass', f'{name}.png'),
                       voc_mask(name), PALETTE)
    return root


@pytest.fixture
def sbd(tmp_path):
    """SBD as it is unpacked."""
    root = tmp_path / 'benchmark_RELEASE' / 'dataset'
    for split in ('train', 'val'):
        write_lines(str(root / f'{split}.txt'), IDS[f'sbd_{split}'])
        for name in IDS[f'sbd_{split}']:
            write_mat(str(root / 'cls' / f'{name}.mat'), sbd_mask(name))
    return str(tmp_path / 'benchmark_RELEASE')


def aug_zip(tmp_path, folder='SegmentationClassAug/', names=ALL):
    path = str(tmp_path / 'SegmentationClassAug.zip')
    with zipfile.ZipFile(path, 'w') as file:
        for name in names:
            write_mask(str(tmp_path / 'one.png'), sbd_mask(name), PALETTE)
            file.write(tmp_path / 'one.png', f'{folder}{name}.png')
            file.writestr(f'__MACOSX/{folder}._{name}.png', b'a note')
    return path


def mask(root, name):
    return read_mask(osp.join(root, 'SegmentationClassAug', f'{name}.png'))


def build(root, split):
    return DATASETS.build(dict(
        type='VOC12ClsDataset', data_root=root,
        data_prefix=dict(img_path='JPEGImages',
                         seg_map_path='SegmentationClassAug'),
        ann_file=f'ImageSets/Segmentation/{split}.txt',
        label_source=dict(type='NpyLabels', file='cls_labels.npy')))


def problems(*args, **kwargs):
    with pytest.raises(DataError) as caught:
        convert_voc12(*args, **dict(dict(subset=True), **kwargs))
    return str(caught.value)


@pytest.mark.parametrize('source', ['sbd', 'zip', 'flat zip', 'folder'])
def test_all_sources_end_alike(voc, sbd, tmp_path, source):
    options = dict(subset=True)
    if source == 'sbd':
        options['sbd'] = sbd
    elif source == 'folder':
        for name in ALL:
            own = name in IDS['train'] + IDS['val']
            write_mask(osp.join(voc, 'SegmentationClassAug', f'{name}.png'),
                       (voc_mask if own else sbd_mask)(name), PALETTE)
    else:
        options['aug_zip'] = aug_zip(
            tmp_path, '' if source == 'flat zip' else 'SegmentationClassAug/')
    counts = convert_voc12(voc, **options)
    assert counts == dict(train=2, val=1, train_aug=4,
                          written=0 if source == 'folder' else 5)
    train_aug = ['2007_000001', '2007_000002', '2008_000004', '2008_000005']
    with open(osp.join(voc, 'ImageSets/Segmentation/train_aug.txt')) as file:
        assert file.read().split() == train_aug
    for name in ALL:
        own = name in IDS['train'] + IDS['val']
        np.testing.assert_array_equal(
            mask(voc, name), (voc_mask if own else sbd_mask)(name))
        with Image.open(osp.join(voc, 'SegmentationClassAug',
                                 f'{name}.png')) as image:
            assert image.mode == 'P'
            assert image.getpalette()[:9] == [0, 0, 0, 128, 0, 0, 0, 128, 0]
    # The configs' data set reads it; difficult objects count.
    data = build(voc, 'train_aug')
    assert len(data) == 4
    dog, person = (data.metainfo['classes'].index(name) - 1
                   for name in ('dog', 'person'))
    assert data.labels[:, [dog, person]].all() and data.labels.sum() == 8


def test_second_run_keeps_what_is_there(voc, sbd):
    assert convert_voc12(voc, sbd, subset=True)['written'] == 5
    first, second = (osp.join(voc, 'SegmentationClassAug', f'{name}.png')
                     for name in ALL[:2])
    before = os.stat(first).st_mtime_ns
    os.remove(second)  # as if the run had been interrupted
    assert convert_voc12(voc, sbd, subset=True)['written'] == 1
    assert os.stat(first).st_mtime_ns == before and osp.isfile(second)


def test_sbd_problems_are_reported_together(voc, sbd):
    cls = osp.join(sbd, 'dataset', 'cls')
    os.remove(osp.join(cls, '2008_000004.mat'))
    with open(osp.join(cls, '2008_000005.mat'), 'r+b') as file:
        file.seek(150)
        file.write(b'\xff' * 40)
    os.remove(osp.join(voc, 'SegmentationClass', '2007_000001.png'))
    os.remove(osp.join(voc, 'JPEGImages', '2007_000002.jpg'))
    message = problems(voc, sbd)
    assert '2008_000004.mat is missing' in message
    assert '2008_000005.mat: no GTcls.Segmentation' in message
    assert 'no mask' in message and '2007_000001.png' in message
    assert 'no photo' in message and '2007_000002.jpg' in message
    for path in ('cls_labels.npy', 'ImageSets/Segmentation/train_aug.txt'):
        assert not osp.exists(osp.join(voc, path))
    # What is finished was kept; the rest follows when it is mended.
    assert osp.isfile(osp.join(voc, 'SegmentationClassAug/2007_000003.png'))


@pytest.mark.parametrize('kind', ['RGB', 'grey'])
def test_masks_that_are_no_palette_png(voc, sbd, kind):
    path = osp.join(voc, 'SegmentationClass', '2007_000001.png')
    picture = Image.open(path).convert('RGB')
    picture = picture if kind == 'RGB' else picture.convert('L')
    picture.save(path)
    write_mat(osp.join(sbd, 'dataset', 'cls', '2008_000004.mat'),
              np.zeros((6, 8), np.uint8))
    message = problems(voc, sbd)
    assert '2008_000004.mat: 6 x 8, but' in message
    assert '2008_000004.jpg is 6 x 9' in message
    if kind == 'RGB':
        assert f'{path}: a mask has one index a pixel' in message
    else:
        assert f'{path}: values 38, 220 are no classes' in message


def test_missing_parts_are_named_together(voc, tmp_path):
    os.remove(osp.join(voc, 'ImageSets/Segmentation/val.txt'))
    os.rename(osp.join(voc, 'Annotations'), osp.join(voc, 'other'))
    message = problems(voc, str(tmp_path / 'nothing'))
    assert 'no list' in message and 'val.txt' in message
    assert 'no folder' in message and 'Annotations' in message
    assert 'nothing: no SBD' in message


def test_counts_of_the_papers(voc):
    message = problems(voc, subset=False)
    assert 'train.txt: 2 images, the papers have 1464' in message
    assert 'val.txt: 1 images, the papers have 1449' in message
    assert ('train_aug.txt: 2 images, the papers have 10582; give --sbd DIR '
            'or --aug-zip FILE') in message
    write_lines(osp.join(voc, 'ImageSets/Segmentation/test.txt'),
                ['2008_000009', '2008_000009'])
    message = problems(voc, subset=False)
    assert 'test.txt: 2 images, the papers have 1456' in message
    assert '2008_000009 stands there 2 times' in message
    assert 'no photo' in message and '2008_000009.jpg' in message


def test_another_train_aug_list_is_not_replaced(voc, sbd):
    path = osp.join(voc, 'ImageSets/Segmentation/train_aug.txt')
    write_lines(path, ['2007_000001'])
    assert 'differs in 3 images, e.g. 2007_000002' in problems(voc, sbd)
    with open(path) as file:
        assert file.read() == '2007_000001\n'


def test_labels_of_the_user_are_kept_and_checked(voc, sbd):
    path = osp.join(voc, 'cls_labels.npy')
    labels = {name: np.eye(20, dtype=np.float32)[7] for name in ALL}
    np.save(path, labels)
    convert_voc12(voc, sbd, subset=True)
    assert (build(voc, 'val').labels == labels['2007_000003']).all()
    del labels['2008_000005']
    np.save(path, labels)
    assert 'no labels for image 2008_000005' in problems(voc, sbd)


@pytest.mark.parametrize('member', ['../2008_000004.png', '/etc/a.png',
                                    'a\\..\\..\\b.png'])
def test_zip_that_points_outside(voc, tmp_path, member):
    path = aug_zip(tmp_path)
    with zipfile.ZipFile(path, 'a') as file:
        file.writestr(member, b'')
    message = problems(voc, aug_zip=path)
    assert 'points out of the archive' in message and repr(member) in message
    assert not osp.exists(osp.join(voc, '2008_000004.png'))


def test_damaged_zip(voc, tmp_path):
    path = aug_zip(tmp_path, names=['2008_000004', '2008_000005'])
    with zipfile.ZipFile(path, 'a') as file:
        file.writestr('SegmentationClassAug/2008_000006.png', b'no picture')
        file.writestr('2008_000005.png', b'')
    assert "'2008_000005.png': the image stands there a second" in problems(
        voc, aug_zip=path)
    path = aug_zip(tmp_path, names=['2008_000004'])
    with zipfile.ZipFile(path, 'a') as file:
        file.writestr('2008_000005.png', b'no picture')
    assert '.zip: 2008_000005.png: mask cannot be read' in problems(
        voc, aug_zip=path)
    with open(path, 'wb') as file:
        file.write(b'no zip')
    assert 'not a readable zip archive' in problems(voc, aug_zip=path)


def test_tool(voc, sbd, capsys):
    options = ('dataset_converters/voc12', voc, '--sbd', sbd)
    assert run_tool(*options, '--subset') is None
    out = capsys.readouterr().out
    assert 'train: 2, val: 1, train_aug: 4, written: 5' in out
    assert 'no test.txt' in out
    assert re.match('error: VOC 2012 in .*: 3 problem', run_tool(*options))


@pytest.mark.parametrize('form', [
    '\ufeff{}\n', '{}.jpg\n', '{}\r\n', '\n{}\n\n',
    '/JPEGImages/{0}.jpg /SegmentationClassAug/{0}.png\n'])
def test_lists_of_other_tools(voc, sbd, form):
    path = osp.join(voc, 'ImageSets/Segmentation')
    for name in ('train', 'val'):
        with open(osp.join(path, f'{name}.txt'), 'wb') as file:
            file.write(''.join(map(form.format, IDS[name])).encode())
    # A list of ours that another tool wrote stays as it is.
    aug = ''.join(form.format(name) for name in ALL if name not in IDS['val'])
    with open(osp.join(path, 'train_aug.txt'), 'w', newline='') as file:
        file.write(aug)
    assert convert_voc12(voc, sbd, subset=True)['train_aug'] == 4
    with open(osp.join(path, 'train_aug.txt'), newline='') as file:
        assert file.read() == aug


@pytest.mark.parametrize('line', ['../2007_000003', '2007_000001 1', 'a/b'])
def test_lines_that_are_no_image_id(voc, sbd, line):
    write_lines(osp.join(voc, 'ImageSets/Segmentation/val.txt'), [line])
    assert f'val.txt line 1: {line!r} is not an image id' in problems(voc, sbd)


def test_labels_with_numbers_as_keys(voc, sbd):
    np.save(osp.join(voc, 'cls_labels.npy'), {
        int(name.replace('_', '')): np.eye(20, dtype=np.float32)[i]
        for i, name in enumerate(ALL)})
    convert_voc12(voc, sbd, subset=True)
    np.testing.assert_array_equal(build(voc, 'val').labels[0],
                                  np.eye(20)[ALL.index(IDS['val'][0])])
