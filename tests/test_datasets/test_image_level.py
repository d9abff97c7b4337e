"""Images with image-level labels, embeddings and maps."""
import os

import numpy as np
import pytest
from shapes import dataset_config

from mmwsss.files.maps import write_map
from mmwsss.problems import DataError
from mmwsss.registry import DATASETS


def build(root, **kwargs):
    return DATASETS.build(dataset_config(root, **kwargs))


@pytest.fixture
def maps(tmp_path):
    """A folder of maps of all photos."""
    for i in range(8):
        write_map(str(tmp_path / 'maps' / f'img{i}.npz'),
                  np.zeros((1, 48, 64), np.float32), [i % 2])
    return str(tmp_path / 'maps')


def test_every_image_has_its_name_and_labels(shapes, tmp_path):
    np.savez(tmp_path / 'a.npz', names=[f'img{i}' for i in range(8)],
             embeddings=np.arange(16.).reshape(8, 2))
    data = build(shapes, image_embeddings=str(tmp_path / 'a.npz'))
    info = data.get_data_info(3)
    assert info['sample_id'] == 'img3' and info['gt_label'].tolist() == [0, 1]
    assert info['image_embedding'].tolist() == [6, 7]
    assert data.labels.shape == (8, 2)
    assert 'map_path' not in info


@pytest.mark.parametrize('classes', [(), ('red', 'blue'), ('background', )])
def test_classes_begin_with_background(shapes, classes):
    with pytest.raises(DataError, match=r"must be \('background', class 1"):
        build(shapes, metainfo=dict(classes=classes))


def test_masks_may_be_missing(shapes):
    os.remove(os.path.join(shapes, 'SegmentationClassAug', 'img2.png'))
    assert len(build(shapes)) == 8


def test_maps_are_found_by_name(shapes, maps):
    np.save(os.path.join(maps, 'img2.npy'), {0: np.zeros((48, 64), 'f')})
    data = build(shapes, maps=maps)
    assert [os.path.basename(data.get_data_info(i)['map_path'])
            for i in (1, 2)] == ['img1.npz', 'img2.npy']


def test_problems_of_the_maps_are_reported_together(shapes, maps):
    os.remove(os.path.join(maps, 'img1.npz'))
    write_map(os.path.join(maps, 'img2.npz'),
              np.zeros((1, 64, 48), np.float32), [0])
    with open(os.path.join(maps, 'img3.npz'), 'wb') as file:
        file.write(b'no maps')
    with pytest.raises(DataError, match=r'3 problem\(s\)') as caught:
        build(shapes, maps=maps)
    message = str(caught.value)
    assert 'no ' in message and 'img1.npz for ' in message
    assert 'img2.npz is for a photo of 64 x 48, but ' in message
    assert 'img3.npz: not a readable map file' in message
    with pytest.raises(DataError, match='no folder of maps .*--maps DIR'):
        build(shapes, maps=maps + '_none')
