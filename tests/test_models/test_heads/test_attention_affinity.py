"""Affinity learned from self-attention (AFA)."""
import pytest
import torch

from mmwsss.models import AttentionAffinityHead

GRID = (4, 6)
COUNT = GRID[0] * GRID[1]


@pytest.fixture
def head():
    torch.manual_seed(0)
    return AttentionAffinityHead(6, radius=2)


def near(a, b, radius=2):
    """Whether two patches are near each other, the long way."""
    return max(abs(a // GRID[1] - b // GRID[1]),
               abs(a % GRID[1] - b % GRID[1])) <= radius


def test_affinity_is_symmetric_and_learns_from_every_head(head):
    attention = torch.randn(2, 6, COUNT, COUNT)
    affinity = head(attention)
    assert affinity.shape == (2, COUNT, COUNT)
    torch.testing.assert_close(affinity, affinity.transpose(1, 2))
    assert affinity.min() >= 0 and affinity.max() <= 1
    labels = torch.randint(0, 3, (2, *GRID))
    head.loss(affinity, labels).backward()
    assert (head.projection.weight.grad != 0).all()


def test_loss_is_the_mean_over_near_known_pairs(head):
    affinity = torch.rand(1, COUNT, COUNT)
    labels = torch.randint(0, 3, (1, *GRID))
    labels[0, 1, 2:4] = 255
    flat = labels.flatten().tolist()
    same, other = [], []
    for a in range(COUNT):
        for b in range(COUNT):
            if near(a, b) and 255 not in (flat[a], flat[b]):
                value = affinity[0, a, b].item()
                (same if flat[a] == flat[b] else other).append(value)
    want = (sum(1 - value for value in same) / (len(same) + 1) +
            sum(other) / (len(other) + 1)) / 2
    assert head.loss(affinity, labels).item() == pytest.approx(want, rel=1e-5)


def test_no_known_pair_is_no_loss(head):
    labels = torch.full((1, *GRID), 255)
    assert head.loss(torch.rand(1, COUNT, COUNT), labels) == 0


def test_propagation_is_a_mean_over_near_patches(head):
    maps = torch.rand(1, 2, *GRID)
    affinity = torch.rand(1, COUNT, COUNT)
    affinity = (affinity + affinity.transpose(1, 2)) / 2
    got = head.propagate(maps, affinity).flatten(2)
    for a in range(COUNT):
        others = [b for b in range(COUNT) if near(a, b)]
        weights = affinity[0, a, others]**2
        want = (maps.flatten(2)[0][:, others] * weights).sum(1)
        torch.testing.assert_close(got[0, :, a], want / weights.sum())


def test_unlike_patches_keep_their_values(head):
    """Two halves without affinity between them, and a patch without any."""
    side = torch.arange(COUNT) % GRID[1] < 3
    affinity = (side[:, None] == side).float()[None]
    maps = torch.rand(1, 1, *GRID) + 5 * side.view(1, 1, *GRID)
    spread = head.propagate(maps, affinity).flatten()
    assert spread[side].min() > 5 and spread[~side].max() < 1.1
    alone = head.propagate(maps, torch.zeros_like(affinity))
    assert alone.isfinite().all()
