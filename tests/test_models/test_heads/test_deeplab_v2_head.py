"""DeepLab-V2's pyramid."""
import torch

from mmwsss.models.heads import DeepLabV2Head


def test_a_sum_of_dilated_classifiers():
    head = DeepLabV2Head(in_channels=8, num_classes=3, dilations=(1, 3)).eval()
    head.init_weights()
    assert all((conv.bias == 0).all() for conv in head.conv_seg)
    features = torch.randn(1, 8, 9, 9)
    logits = head([features])
    torch.testing.assert_close(
        logits, sum(conv(features) for conv in head.conv_seg))
    features[..., 4, 4] += 50
    seen = ((head([features]) - logits).abs().amax(1)[0] > 1e-6).nonzero()
    assert sorted({tuple(place) for place in seen.tolist()}) == sorted(
        {(4 + d * y, 4 + d * x) for d in (1, 3) for y in (-1, 0, 1)
         for x in (-1, 0, 1)})
