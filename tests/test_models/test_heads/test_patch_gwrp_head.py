"""Class maps from patch tokens; the pooling has tests of its own."""
import torch

from mmwsss.models.heads import PatchGWRPHead
from mmwsss.ops import gwrp


def test_maps_keep_their_places_and_logits_are_pooled():
    head = PatchGWRPHead(num_classes=3, in_channels=8, decay=0.7)
    tokens = torch.randn(2, 8, 5, 6)
    maps = head(tokens)
    assert maps.shape == (2, 3, 5, 6)
    assert torch.equal(head.pool(maps), gwrp(maps, 0.7))
    # A patch changes its own neighbourhood alone.
    tokens[:, :, 0, 0] += 1
    changed = (head(tokens) - maps).abs().amax((0, 1)) > 0
    assert changed.nonzero().amax(0).tolist() == [1, 1]
