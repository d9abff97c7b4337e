"""Maps scaled to [0, 1]."""
import torch

from mmwsss.ops import min_max


def test_each_map_on_its_own():
    maps = torch.randn(2, 3, 5, 6) * torch.tensor([1e-4, 1, 1e4])[
        :, None, None]
    scaled = min_max(maps)
    assert (scaled.amin((2, 3)) == 0).all()
    torch.testing.assert_close(scaled.amax((2, 3)), torch.ones(2, 3))
    # Differences keep their proportions.
    step, whole = maps[..., 0, 0] - maps.amin((2, 3)), maps.amax(
        (2, 3)) - maps.amin((2, 3))
    torch.testing.assert_close(scaled[..., 0, 0], step / whole)


def test_a_constant_map_is_empty():
    assert (min_max(torch.full((1, 4, 4), 7.)) == 0).all()
