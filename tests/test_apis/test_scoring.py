"""One pass over files for everything that reads them."""
import threading
import time

import numpy as np
import pytest
from shapes import CLASSES

from mmwsss.apis.scoring import ScoredFile, Scoring, map_scoring
from mmwsss.evaluation import MaskIoU
from mmwsss.files.maps import write_map
from mmwsss.files.masks import MaskClasses, read_mask, write_mask
from mmwsss.problems import ConfigError, DataError

NAMES, PALETTE = CLASSES['classes'], CLASSES['palette']


@pytest.fixture
def files(tmp_path):
    """Maps of three images, the last one without a true mask."""
    rng = np.random.default_rng(0)
    found = []
    for i in range(3):
        path, truth = (str(tmp_path / kind / f'{i}.{end}')
                       for kind, end in (('maps', 'npz'), ('truth', 'png')))
        write_map(path, rng.random((1, 4, 6), dtype=np.float32), [i % 2])
        write_mask(truth, rng.choice([0, 1, 2], (4, 6)), PALETTE)
        found.append(ScoredFile(path, truth if i < 2 else None, i))
    return found


def test_each_file_is_read_once_and_seen_in_order(files):
    scoring = map_scoring('x', NAMES, 'all', [])
    read, original = [], scoring.read
    scoring.read = lambda path: (read.append(path), original(path))[1]
    seen = [(file.index, visited) for file, visited in scoring.run(
        files, lambda file, maps: maps.labels.tolist())]
    assert seen == [(0, [0]), (1, [1]), (2, [0])]
    assert sorted(read) == [file.path for file in files]
    assert scoring.scored == 2


def test_two_scorers_never_report_one_name(files):
    scoring = map_scoring('x', NAMES, 'all', [dict(type='ThresholdSweep')])
    list(scoring.run(files))
    with pytest.raises(ConfigError, match="report 'IoU'"):
        scoring.report('x', None)


def test_a_second_pass_starts_anew(files):
    scoring = map_scoring('x', NAMES, 'all', [])
    reports = []
    for _ in range(2):
        list(scoring.run(files))
        reports.append(scoring.report('x', None))
    assert reports[0] == reports[1]


def test_masks_are_scored_by_the_same_pass(tmp_path):
    mask = np.array([[0, 1], [2, 2]], np.uint8)
    path = str(tmp_path / 'a.png')
    write_mask(path, mask, PALETTE)
    scoring = Scoring([MaskIoU(classes=NAMES)], read_mask,
                      lambda content: content.shape, 'x',
                      MaskClasses(len(NAMES)))
    list(scoring.run([ScoredFile(path, path)]))
    assert scoring.report('x', None)['mIoU'] == 100


def test_an_error_of_what_sees_the_files_is_named_with_the_others(files):
    def see(file, maps):
        if file.index != 1:
            raise DataError(f'no room for {file.index}')

    with pytest.raises(DataError, match='(?s)2 problem.*for 0.*for 2'):
        list(map_scoring('x', NAMES, 'all', []).run(files, see))


@pytest.mark.parametrize('kind', ['maps', 'truth'])
def test_large_photos_are_worked_on_one_by_one(files, kind, monkeypatch):
    """Memory would follow the cores otherwise; 24 pixels count as large."""
    monkeypatch.setattr('mmwsss.apis.scoring.PIXELS_AT_ONCE', 47)
    monkeypatch.setattr('os.cpu_count', lambda: 8)
    scoring = map_scoring('x', NAMES, 'all', [])
    if kind == 'truth':
        files = [ScoredFile(file.truth) for file in files if file.truth]
        scoring = Scoring([MaskIoU(classes=NAMES)], read_mask, np.shape, 'x',
                          MaskClasses(len(NAMES)))
    alone = threading.Lock()

    def see(file, content):
        assert alone.acquire(blocking=False)
        time.sleep(0.05)
        alone.release()

    assert len(list(scoring.run(2 * files, see))) == 2 * len(files)
