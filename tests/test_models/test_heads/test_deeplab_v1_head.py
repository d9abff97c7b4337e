"""DeepLab-V1 on ResNet38d; its parity is in the tests of ResNet38d."""
import torch

from mmwsss.models.heads import DeepLabV1Head


def test_two_dilated_convolutions():
    head = DeepLabV1Head(in_channels=8, channels=4, num_classes=3,
                         dilation=2).eval()
    head.init_weights()
    features = torch.randn(1, 8, 9, 9)
    logits = head([features])
    assert logits.shape == (1, 3, 9, 9)
    features[..., 4, 4] += 5
    # Steps of two in both of them: every second pixel, up to four away.
    seen = ((head([features]) - logits).abs().amax(1)[0] > 1e-6).nonzero()
    assert (seen % 2 == 0).all() and seen.min() == 0 and seen.max() == 8
