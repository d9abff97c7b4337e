"""From a pipeline's dict to a sample."""
import numpy as np
import torch

from mmwsss.registry import TRANSFORMS


def packed(**more):
    results = dict(
        img=np.arange(60, dtype=np.uint8).reshape(4, 5, 3), sample_id='a',
        img_path='a.jpg', ori_shape=(4, 5), img_shape=(4, 5),
        gt_label=np.array([0, 1, 1], np.float32), **more)
    return TRANSFORMS.build(dict(type='PackImageLevelInputs'))(results)


def test_labels_ride_on_the_sample():
    item = packed()
    sample = item['data_samples']
    assert item['inputs'].shape == (3, 4, 5)
    label = sample.gt_label.label_onehot
    assert label.dtype == torch.float32 and label.tolist() == [0, 1, 1]
    assert sample.sample_id == 'a' and sample.ori_shape == (4, 5)
    for name in ('gt_sem_seg', 'image_embedding', 'seed_maps',
                 'second_view', 'local_view'):
        assert name not in sample


def test_what_else_there_is():
    view = np.random.randint(0, 255, (4, 5, 3), dtype=np.uint8)
    maps = np.random.rand(2, 4, 5).astype(np.float32)
    sample = packed(
        local_view=view, image_embedding=np.arange(4.), seed_maps=maps,
        seed_labels=np.array([1, 2]),
        gt_seg_map=np.ones((4, 5), np.uint8))['data_samples']
    assert np.array_equal(sample.local_view.permute(1, 2, 0), view)
    assert sample.image_embedding.tolist() == [0, 1, 2, 3]
    assert sample.seed_maps.labels == [1, 2]
    assert np.array_equal(sample.seed_maps.data, maps)
    assert sample.gt_sem_seg.data.shape == (1, 4, 5)
