"""Photos of a list or of a folder; all problems in one report."""
import os
import os.path as osp
import shutil

import numpy as np
import pytest
from command_lines import logged
from PIL import Image
from shapes import CLASSES, dataset_config

from mmwsss.problems import DataError
from mmwsss.registry import DATASETS


def build(root, **kwargs):
    """A data set that also has labels, from a table."""
    return DATASETS.build(dataset_config(root, **kwargs))


def problems(root, **kwargs):
    with pytest.raises(DataError) as caught:
        build(root, **kwargs)
    return str(caught.value)


def test_list_and_image_problems_are_reported_together(shapes):
    with open(osp.join(shapes, 'lists', 'train.txt'), 'a') as file:
        file.write('img0\nghost\n')
    with open(osp.join(shapes, 'JPEGImages', 'img1.jpg'), 'wb') as file:
        file.write(b'not a picture')
    message = problems(shapes)
    assert 'line 9' in message and 'a second time (first: line 1)' in message
    assert 'line 10: no image' in message and 'ghost.jpg' in message
    assert 'line 2' in message and 'is not an image' in message


def test_folder_without_a_list_gives_photos_of_every_kind(shapes):
    folder = osp.join(shapes, 'JPEGImages')
    os.rename(osp.join(folder, 'img0.jpg'), osp.join(folder, 'img0.JPG'))
    Image.open(osp.join(folder, 'img1.jpg')).save(
        osp.join(folder, 'img1.png'))
    os.remove(osp.join(folder, 'img1.jpg'))
    with open(osp.join(folder, 'notes.txt'), 'w') as file:
        file.write('no photo')
    data = build(shapes, ann_file='')
    assert np.array_equal(data.labels, np.eye(2)[[0, 1] * 4])
    assert data.get_data_info(1)['img_path'].endswith('img1.png')
    assert all(osp.isfile(data.get_data_info(i)['seg_map_path'])
               for i in range(8))


def test_a_photo_in_two_formats(shapes):
    folder = osp.join(shapes, 'JPEGImages')
    os.mkdir(osp.join(folder, 'more'))
    Image.open(osp.join(folder, 'img2.jpg')).save(
        osp.join(folder, 'more', 'img2.png'))
    message = problems(shapes, ann_file='')
    assert 'more/img2.png and ' in message and 'rename one' in message


def test_folder_without_photos(shapes):
    for name in os.listdir(osp.join(shapes, 'JPEGImages')):
        os.remove(osp.join(shapes, 'JPEGImages', name))
    assert 'holds no photo, it is empty' in problems(shapes, ann_file='')
    for i in range(5):
        (open(osp.join(shapes, 'JPEGImages', f'{i}.txt'), 'w')).close()
    assert 'opens is one: 0.txt (not an image), 1.txt (not an image), ' in (
        message := problems(shapes, ann_file=''))
    assert message.endswith(' and 2 more')


@pytest.mark.parametrize('kind', ['PhotoFolder', 'PseudoMaskDataset'])
def test_two_photos_of_one_name(shapes, kind):
    folder = osp.join(shapes, 'JPEGImages', 'more')
    os.makedirs(folder)
    shutil.copy(osp.join(shapes, 'JPEGImages', 'img1.jpg'), folder)
    options = {}
    if kind == 'PseudoMaskDataset':
        options['masks'] = osp.join(shapes, 'SegmentationClassAug')
    with pytest.raises(DataError, match='img1.jpg have one name'):
        DATASETS.build(dict(
            type=kind, data_root=shapes, metainfo=CLASSES,
            data_prefix=dict(img_path='JPEGImages'), **options))


def test_a_segmentors_validation_needs_its_masks(shapes):
    os.remove(osp.join(shapes, 'SegmentationClassAug', 'img2.png'))
    config = dict(
        type='PhotoFolder', data_root=shapes, metainfo=CLASSES,
        ann_file='lists/train.txt', data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClassAug'))
    with pytest.raises(DataError, match='line 3: no mask .*img2.png'):
        DATASETS.build(config)
    config['data_prefix'].pop('seg_map_path')
    assert len(DATASETS.build(config)) == 8


def test_whatever_pillow_opens_is_a_photo_and_the_rest_is_listed(shapes):
    folder = osp.join(shapes, 'JPEGImages')
    for number, suffix in enumerate(('jfif', 'jpe', 'GIF', 'heic', 'bin')):
        photo = Image.open(osp.join(folder, f'img{number}.jpg')).copy()
        os.remove(osp.join(folder, f'img{number}.jpg'))
        photo.save(osp.join(folder, f'img{number}.{suffix}'),
                   'GIF' if suffix == 'GIF' else 'JPEG')
    with open(osp.join(folder, 'notes.txt'), 'w') as file:
        file.write('no photo')
    os.symlink('moved.jpg', osp.join(folder, 'gone.jpg'))
    os.symlink(folder, osp.join(folder, 'loop'))
    with logged() as lines:
        assert len(build(shapes, ann_file='')) == 8
    [line] = [line for line in lines if 'left out' in line]
    assert '8 photos, 2 left out' in line and 'gone.jpg (broken link' in line
    assert 'notes.txt (not an image)' in line


def test_a_labelled_photo_that_is_not_there(shapes):
    os.remove(osp.join(shapes, 'JPEGImages', 'img3.jpg'))
    assert "no photo 'img3.jpg'" in problems(shapes, ann_file='')


def test_whole_photos_are_checked_on_request_and_bad_ones_skipped(shapes):
    path = osp.join(shapes, 'JPEGImages', 'img4.jpg')
    with open(path, 'rb') as file:
        content = file.read()
    with open(path, 'wb') as file:
        file.write(content[:len(content) // 2] + b'\xff\xd9')
    assert len(build(shapes)) == 8  # its header is whole
    message = problems(shapes, check_images='decode')
    assert 'line 5' in message and 'img4.jpg: damaged' in message
    os.remove(osp.join(shapes, 'JPEGImages', 'img0.jpg'))
    problems(shapes, check_images='decode', skip_bad=1)
    with logged() as lines:
        data = build(shapes, check_images='decode', skip_bad=2)
    assert len(data) == 6 and data.bad == ['img0', 'img4']
    assert any('6 photos, 2 bad' in line for line in lines)
