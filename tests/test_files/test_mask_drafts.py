"""Masks before their threshold is known."""
import numpy as np
import pytest

from mmwsss.files.maps import MapFile, map_to_mask
from mmwsss.files.mask_drafts import MaskDraft, MaskDrafts
from mmwsss.problems import DataError

GRID = [i / 100 for i in range(100)]


def random_maps(seed, count, size=(7, 9)):
    """Maps whose values lie on thresholds, too."""
    rng = np.random.default_rng(seed)
    maps = rng.integers(0, 101, (count, *size)).astype(np.float32) / 100
    labels = rng.choice(80, count, replace=False).astype(np.int16)
    return MapFile(labels, maps, size)


@pytest.mark.parametrize('count', [0, 1, 3])
def test_a_draft_has_the_mask_of_every_threshold(count):
    for seed in range(5):
        file = random_maps(seed, count)
        draft = MaskDraft.of('a', file, GRID)
        for place, threshold in enumerate(GRID):
            assert np.array_equal(
                draft.mask(place),
                map_to_mask(file.maps, file.labels, threshold)), threshold


def test_drafts_come_back_in_order_and_leave_nothing(tmp_path):
    files = [random_maps(i, i % 3, (4 + i, 5)) for i in range(6)]
    with MaskDrafts(str(tmp_path)) as drafts:
        for i, file in enumerate(files):
            drafts.add(MaskDraft.of(str(i), file, GRID))
        assert len(drafts) == 6
        for _ in range(2):  # they can be read again
            found = list(drafts)
            assert [draft.name for draft in found] == list('012345')
            for draft, file in zip(found, files):
                assert np.array_equal(draft.mask(30), map_to_mask(
                    file.maps, file.labels, 0.3))
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_one_line(tmp_path, monkeypatch):
    with MaskDrafts(str(tmp_path)) as drafts:

        class Full:
            def write(self, content):
                raise OSError(28, 'No space left on device')

            def close(self):
                pass

        monkeypatch.setattr(drafts, '_file', Full())
        with pytest.raises(DataError, match='No space left on device.*again'):
            drafts.add(MaskDraft.of('a', random_maps(0, 1), GRID))
