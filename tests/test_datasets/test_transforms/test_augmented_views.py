"""Views of a photo with one true mask."""
import numpy as np
import pytest
import torch
from PIL import Image

from mmwsss.registry import TRANSFORMS


@pytest.mark.parametrize('masked', [True, False])
def test_only_the_first_view_has_the_mask(tmp_path, masked):
    mask = np.array([[0, 1, 255], [2, 2, 0]], np.uint8)
    Image.fromarray(mask).save(tmp_path / 'a.png')
    results = dict(img=np.zeros((2, 3, 3), np.uint8), img_shape=(2, 3),
                   ori_shape=(2, 3), img_path='a.jpg', seg_fields=[],
                   label_map=None, reduce_zero_label=False,
                   seg_map_path=str(tmp_path / 'a.png') if masked else None)
    views = TRANSFORMS.build(dict(type='TestTimeAug', transforms=[
        [dict(type='RandomFlip', prob=0.), dict(type='RandomFlip', prob=1.)],
        [dict(type='LoadMaskIfAny')],
        [dict(type='mmseg.PackSegInputs')],
    ]))(results)
    first, second = views['data_samples']
    assert len(views['inputs']) == 2 and second.flip
    assert 'gt_sem_seg' not in second and ('gt_sem_seg' in first) == masked
    if masked:
        assert first.gt_sem_seg.data.dtype == torch.uint8
        assert np.array_equal(first.gt_sem_seg.data[0], mask)
