"""Pooling over the views of a photo."""
import pytest
import torch
from mmengine.structures import LabelData, PixelData
from mmseg.structures import SegDataSample
from torch import nn

from mmwsss.models.segmentors import WSSSegTTA


class Segmentor(nn.Module):
    """Stands in for the network that WSSSegTTA wraps."""

    def test_step(self, data):
        """Never called here."""


def view(*probabilities):
    """A prediction of one row of pixels with these foreground scores."""
    scores = torch.tensor(probabilities)
    logits = torch.stack([1 - scores, scores]).log()[:, None]
    sample = SegDataSample()
    sample.set_data(dict(seg_logits=PixelData(data=logits)))
    return sample


@pytest.mark.parametrize('pool, foreground', [
    # max: 0.9 against 0.8; 0.4 against 0.7. mean: 0.55; 0.35.
    ('max', ([0.9, 0.4], [1, 0])),
    ('mean', ([0.55, 0.35], [1, 0])),
])
def test_views_are_pooled(pool, foreground):
    tta = WSSSegTTA(pool=pool, module=Segmentor())
    [merged] = tta.merge_preds([[view(0.2, 0.3), view(0.9, 0.4)]])
    scores = merged.seg_logits.data.exp()
    assert torch.allclose(scores[1, 0], torch.tensor(foreground[0]))
    assert merged.pred_sem_seg.data[0, 0].tolist() == foreground[1]


def test_max_and_mean_can_disagree():
    # 0.9 once for background; twice 0.7 for the object.
    views = [view(0.1, 0.5), view(0.7, 0.5), view(0.7, 0.5)]
    masks = [WSSSegTTA(pool=pool, module=Segmentor()).merge_preds(
        [views])[0].pred_sem_seg.data[0, 0, 0].item()
        for pool in ('max', 'mean')]
    assert masks == [0, 1]


def test_unknown_pool():
    with pytest.raises(ValueError, match="use 'max' or 'mean'"):
        WSSSegTTA(pool='sum', module=Segmentor())


@pytest.mark.parametrize('pool', ['max', 'mean'])
@pytest.mark.parametrize('tags, expected', [
    ([0, 1], [2, 0]), ([1, 0], [1, 0]), ([0, 0], [0, 0]), ([1, 1], [1, 0])])
def test_tags_limit_the_classes(pool, tags, expected):
    """The first pixel is class 1, then 2; the second is background."""
    logits = torch.tensor([[1., 9.], [5., 0.], [3., 1.]])[:, None]
    views = [SegDataSample() for _ in range(2)]
    for one in views:
        one.set_data(dict(seg_logits=PixelData(data=logits)))
        one.set_field(LabelData(label_onehot=torch.tensor(tags).float()),
                      'gt_label')
    tta = WSSSegTTA(pool=pool, tags_only=True, module=Segmentor())
    [merged] = tta.merge_preds([views])
    assert merged.pred_sem_seg.data[0, 0].tolist() == expected
    assert torch.isfinite(merged.seg_logits.data).all()
