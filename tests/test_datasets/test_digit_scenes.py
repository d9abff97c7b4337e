"""The data set of DigitScenes."""
import numpy as np
import pytest
from digit_files import build_digits

pytest.importorskip('sklearn')


@pytest.mark.parametrize('split, count', [('train', 12), ('val', 6)])
def test_table_and_masks_agree(scenes, split, count):
    table = build_digits(scenes, split).labels
    masks = build_digits(scenes, split, dict(type='MaskLabels')).labels
    assert table.shape == (count, 10)
    assert 1 <= table.sum(1).min() and table.sum(1).max() == 2
    np.testing.assert_array_equal(table, masks)


def test_dataset_gives_images_labels_and_masks(scenes):
    dataset = build_digits(scenes)
    assert dataset.metainfo['classes'][:3] == ('background', '0', '1')
    assert len(set(map(tuple, dataset.metainfo['palette']))) == 11
    item = dataset[0]
    sample = item['data_samples']
    mask = sample.gt_sem_seg.data
    assert item['inputs'].shape == (3, 64, 64)
    assert mask.shape == (1, 64, 64)
    present = sample.gt_label.label_onehot.nonzero().flatten() + 1
    assert sorted(mask.unique().tolist()) == [0, *present.tolist()]
