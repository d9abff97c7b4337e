"""ToCo's decoder; its parity is in ToCo's tests."""
import torch

from mmwsss.models.heads import LargeFOVHead


def test_two_dilated_convolutions_without_biases():
    head = LargeFOVHead(in_channels=8, channels=4, num_classes=3, dilation=2)
    assert not any(name.endswith('bias')
                   for name, _ in head.named_parameters())
    features = torch.randn(1, 8, 9, 9)
    logits = head([features])
    assert logits.shape == (1, 3, 9, 9)
    assert head([torch.zeros_like(features)]).abs().max() == 0
    features[..., 4, 4] += 5
    seen = ((head([features]) - logits).abs().amax(1)[0] > 1e-6).nonzero()
    assert (seen % 2 == 0).all() and seen.min() == 0 and seen.max() == 8
