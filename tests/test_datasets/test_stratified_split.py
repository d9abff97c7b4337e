import numpy as np
import pytest

from mmwsss.datasets.stratified_split import stratified_split


def random_labels(seed, count=120, classes=6):
    """Photos whose classes are of very different frequency."""
    rng = np.random.default_rng(seed)
    return (rng.random((count, classes))
            < np.linspace(0.03, 0.6, classes)).astype(np.float32)


@pytest.mark.parametrize('seed', range(6))
@pytest.mark.parametrize('share', [0.1, 0.15, 0.3])
def test_every_class_has_its_share(seed, share):
    labels = random_labels(seed)
    held_out = stratified_split(labels, share, seed=seed)
    assert held_out.shape == (120, ) and held_out.dtype == bool
    assert abs(held_out.sum() - share * 120) <= 4
    wanted, found = share * labels.sum(0), labels[held_out].sum(0)
    assert (np.abs(found - wanted) <= np.maximum(1.5, 0.25 * wanted)).all()
    assert (held_out == stratified_split(labels, share, seed=seed)).all()


@pytest.mark.parametrize('seed', range(4))
def test_better_than_chance(seed):
    """Rare classes, which a random part often misses altogether."""
    labels = random_labels(seed, count=200, classes=12)
    off = np.abs(labels[stratified_split(labels, 0.15)].sum(0)
                 - 0.15 * labels.sum(0)).max()
    chance = []
    for draw in range(20):
        part = np.random.default_rng(draw).permutation(200)[:30]
        chance.append(np.abs(labels[part].sum(0)
                             - 0.15 * labels.sum(0)).max())
    assert off < min(chance)


@pytest.mark.parametrize('seed', range(4))
def test_groups_stay_together(seed):
    labels = random_labels(seed)
    groups = np.arange(120) // 3
    held_out = stratified_split(labels, 0.2, groups.tolist())
    for group in range(40):
        assert len(set(held_out[groups == group])) == 1
    assert abs(held_out.sum() - 24) <= 6


def test_few_photos_of_a_class_stay_for_learning():
    labels = np.zeros((40, 2), dtype=np.float32)
    labels[:, 0], labels[:3, 1] = 1, 1
    assert stratified_split(labels, 0.15)[:3].sum() == 0


@pytest.mark.parametrize('labels', [np.zeros((20, 3)), np.ones((20, 1))])
def test_photos_without_or_with_all_classes(labels):
    assert stratified_split(labels, 0.25).sum() == 5
    assert stratified_split(labels, 0).sum() == 0
