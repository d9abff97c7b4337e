"""The contrast of MMCT's class tokens; its parity is in MMCT's losses."""
import torch
import torch.nn.functional as F

from mmwsss.registry import MODELS


def test_contrast_prefers_distinct_tokens():
    contrast = MODELS.build(dict(type='ClassTokenContrast'))
    labels = torch.tensor([[1., 0., 1.]])
    same = [torch.ones(1, 3, 8)]
    distinct = [torch.eye(3, 8)[None]]
    assert contrast(same, labels) > contrast(distinct, labels)
    expected = -F.log_softmax(torch.ones(3), 0)[0]
    torch.testing.assert_close(contrast(same, labels), expected)
