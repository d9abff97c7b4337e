"""Files of a run that are gone or damaged are found without decoding."""
import json

import numpy as np
import pytest

from mmwsss.files.lost_files import lost_files
from mmwsss.files.maps import write_map
from mmwsss.files.masks import write_mask


@pytest.fixture
def files(tmp_path):
    """Paths of a mask, of maps and of a JSON file."""
    paths = [str(tmp_path / name) for name in ('a.png', 'b.npz', 'c.json')]
    rng = np.random.default_rng(0)
    write_mask(paths[0], rng.integers(0, 3, (40, 30)), [[0, 0, 0]])
    write_map(paths[1], rng.random((2, 40, 30), dtype=np.float32), [0, 1])
    (tmp_path / 'c.json').write_text(json.dumps(dict(a=[1, 2, 3])))
    return paths


def test_whole_files_are_not_lost(files):
    assert lost_files(files) == [] == lost_files([])


@pytest.mark.parametrize('place', [0, 1, 2])
@pytest.mark.parametrize('kept', [0, 4, 20, 0.5, -1, 'gone', 'other'])
def test_what_is_cut_short_or_gone(files, tmp_path, place, kept):
    path = tmp_path / files[place]
    content = path.read_bytes()
    if kept == 'gone':
        path.unlink()
    elif kept == 'other':
        path.write_bytes(b'hello, world' * 20)
    else:
        kept = int(kept * len(content)) if isinstance(kept, float) else kept
        path.write_bytes(content[:min(kept, len(content) - 1)])
    assert lost_files(files) == [files[place]]


def test_a_changed_pixel_of_a_mask(files, tmp_path):
    path = tmp_path / files[0]
    content = bytearray(path.read_bytes())
    content[content.index(b'IDAT') + 20] ^= 1
    path.write_bytes(content)
    assert lost_files(files) == [files[0]]
