"""A background threshold from photos and maps alone."""
import numpy as np
import pytest
from PIL import Image

from mmwsss.evaluation import AutoThreshold
from mmwsss.files.maps import MapFile
from mmwsss.problems import DataError

GRID = [i / 100 for i in range(100)]


def scene(seed, edge, side=64, power=1.):
    """A photo of a bright disc, and a map that is ``edge`` at its rim."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side * 5 // 4]
    centre = rng.uniform(0.4, 0.6, 2) * rows.shape
    radius = rng.uniform(0.25, 0.4) * side
    distance = np.hypot(rows - centre[0], columns - centre[1]) / radius
    photo = rng.normal(70, 12, (*rows.shape, 3))
    photo[distance < 1] += [110, 60, 20]
    # 1 in the middle, the given value at the rim, then on to 0.
    maps = np.interp(distance, [0, 1, 2.2], [1, edge, 0])
    maps = (maps + rng.normal(0, 0.02, maps.shape)).clip(0, 1)**power
    return (photo.clip(0, 255).astype(np.uint8),
            MapFile(np.array([seed % 3], np.int16),
                    maps[None].astype(np.float32), rows.shape))


def chosen(scenes, grid=GRID):
    auto = AutoThreshold(grid)
    for photo, file in scenes:
        auto.add(auto.evidence(photo, file))
    return auto.choose()


@pytest.mark.parametrize('edge', [0.15, 0.3, 0.5, 0.7])
@pytest.mark.parametrize('count', [1, 5])
def test_it_is_the_value_of_maps_at_the_rims_of_objects(edge, count):
    assert chosen([scene(seed, edge) for seed in range(count)]) == (
        pytest.approx(edge, abs=0.1))


@pytest.mark.parametrize('power', [0.5, 2])
def test_it_follows_maps_that_are_scaled(power):
    found = chosen([scene(seed, 0.5, power=power) for seed in range(10)])
    assert found == pytest.approx(0.5**power, abs=0.08)


def test_sizes_of_photos_and_maps_need_not_agree():
    photo, file = scene(0, 0.5, side=160)
    small = MapFile(file.labels, file.maps[:, ::8, ::8], file.maps.shape[1:])
    assert chosen([(photo, small)]) == pytest.approx(
        chosen([(photo, file)]), abs=0.06)
    tiny = photo[::80, ::80]
    assert tiny.shape[:2] == (2, 3)
    assert chosen([(tiny, file)]) in GRID


def test_a_photo_of_another_object_changes_nothing():
    """What the photos do not show cannot be found; it stays in bounds."""
    flat = np.full((40, 50, 3), 90, np.uint8)
    _, file = scene(0, 0.5)
    found = chosen([(flat, file)])
    share = (file.maps.max(0) > found).mean()
    assert 0.02 < share < 0.6


@pytest.mark.parametrize('speck, most', [(0., True), (1., False)])
def test_a_speck_is_neither_the_object_nor_the_background(speck, most):
    """A corner of its own colour is the best cut, and of no use."""
    rng = np.random.default_rng(0)
    photo = rng.normal(100, 40, (60, 80, 3))
    photo[:, :28] += 40
    photo[:8, -8:] = [250, 0, 250]
    maps = np.full((1, 60, 80), 0.2 if speck else 0.5, np.float32)
    maps[..., :28] = 0.6 if speck else 0.9
    maps[:, :8, -8:] = speck
    photo = photo.clip(0, 255).astype(np.uint8)
    file = MapFile(np.array([0], np.int16), maps, (60, 80))
    grid = [0.1, 0.4, 0.8] if speck else [0.2, 0.7]
    cut, share = AutoThreshold(grid).evidence(photo, file)
    worst = int(cut.argmin())  # what the cut alone would take
    assert share[worst] > 0.9 if most else share[worst] < 0.05
    assert chosen([(photo, file)], grid) == (0.4 if speck else 0.7)


def test_maps_that_say_nothing_choose_nothing():
    photo, file = scene(0, 0.5)
    auto = AutoThreshold(GRID)
    assert auto.choose() is None  # no photo
    zero = MapFile(file.labels, 0 * file.maps, file.size)
    assert chosen([(photo, zero)] * 3) is None
    # One photo with values is enough.
    assert chosen([(photo, zero), (photo, file)]) == pytest.approx(0.5,
                                                                   abs=0.15)


@pytest.mark.parametrize('share', [0.01, 0.3, 0.9, 1.])
def test_masks_instead_of_maps_get_a_threshold_between(share):
    """All thresholds are the same mask, also where it is out of bounds."""
    photo, file = scene(0, 0.5)
    order = file.maps[0] >= np.quantile(file.maps[0], 1 - share)
    mask = MapFile(file.labels, order[None].astype(np.float32), file.size)
    assert 0.48 <= chosen([(photo, mask)]) <= 0.52


def test_photos_in_any_order_and_without_a_class(tmp_path):
    auto, other = AutoThreshold(GRID), AutoThreshold(GRID)
    for seed in range(4):
        photo, file = scene(seed, 0.4)
        path = str(tmp_path / f'{seed}.png')
        Image.fromarray(photo).save(path)
        auto.add(auto.read(path, file))
    none = MapFile(np.zeros(0, np.int16), np.zeros((0, 4, 5), 'f'), (4, 5))
    other.add(other.read('nowhere.png', none))
    for seed in (2, 0, 3, 1):
        photo, file = scene(seed, 0.4)
        other.add(other.evidence(photo, file))
    assert auto.choose() == other.choose()
    assert auto.photos == other.photos == 4
    with pytest.raises(DataError, match='nowhere.png'):
        auto.read('nowhere.png', file)
