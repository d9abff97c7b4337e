"""A score of maps is one class: both tools and the validation take it."""
import json

import numpy as np
import pytest
import torch
from shapes import CLASSES

from mmwsss import apis
from mmwsss.apis.scoring import ScoredFile, map_scoring
from mmwsss.evaluation import BaseScorer
from mmwsss.files.maps import MapFile, write_map
from mmwsss.files.masks import write_mask
from mmwsss.problems import DataError
from mmwsss.registry import SCORERS

NAMES = CLASSES['classes']
PALETTE = CLASSES['palette']


class Inside(BaseScorer):
    """The mean of the maps on true objects, and the images' number."""

    def count(self, file, truth):
        self.check_labels(file)
        inside = torch.from_numpy(file.maps.max(0))[(truth > 0) &
                                                    (truth < 255)]
        return torch.tensor([inside.sum(), inside.numel(), 1.])

    def report(self, counts):
        if not counts[1]:
            raise DataError('no object at all')
        return dict(inside=float(counts[0] / counts[1]), seen=int(counts[2]))


@pytest.fixture
def registered():
    SCORERS.register_module(name='Inside', module=Inside, force=True)
    yield dict(type='Inside')
    SCORERS.module_dict.pop('Inside')


@pytest.fixture
def folders(tmp_path):
    """Maps and true masks of three images, and the mean by hand."""
    rng = np.random.default_rng(0)
    values = []
    for i in range(3):
        mask = np.zeros((6, 8), np.uint8)
        mask[2:4, i:i + 3] = 1 + i % 2
        mask[0] = 255
        maps = rng.integers(0, 256, (1, 6, 8)).astype(np.float32) / 255
        write_map(str(tmp_path / 'maps' / f'{i}.npz'), maps, [i % 2])
        write_mask(str(tmp_path / 'masks' / f'{i}.png'), mask, PALETTE)
        values.append(maps[0][(mask > 0) & (mask < 255)])
    return (str(tmp_path / 'maps'), str(tmp_path / 'masks'),
            np.concatenate(values).mean())


def test_in_the_evaluation_of_a_folder(folders, registered, tmp_path):
    maps, masks, mean = folders
    report = apis.evaluate_pseudo_labels(
        maps, masks, NAMES[1:], scorers=[registered],
        out_dir=str(tmp_path / 'out'))
    assert report['inside'] == pytest.approx(mean, abs=1e-6)
    assert report['seen'] == 3 and 0 <= report['mIoU'] <= 100
    with open(tmp_path / 'out' / 'evaluation.json') as file:
        assert json.load(file)['seen'] == 3


def test_in_generation(trained, registered, tmp_path):
    cfg, checkpoint = trained
    cfg.scorers = [registered]
    report = apis.generate_pseudo_labels(cfg, checkpoint,
                                         str(tmp_path / 'out'))
    assert report['seen'] == 8 and 0 < report['inside'] < 1
    assert 'mIoU' in report and 'threshold' in report


def test_a_file_is_read_once(folders, registered):
    maps, masks, _ = folders
    read = []
    scoring = map_scoring('x', NAMES, 'all', [registered])
    original = scoring.read
    scoring.read = lambda path: (read.append(path), original(path))[1]
    files = [ScoredFile(f'{maps}/{i}.npz', f'{masks}/{i}.png', i)
             for i in range(3)]
    seen = [(file.index, visited) for file, visited in scoring.run(
        files, lambda file, content: content.labels.tolist())]
    assert seen == [(0, [0]), (1, [1]), (2, [0])]
    assert sorted(read) == [file.path for file in files]
    assert scoring.scored == 3


def test_files_without_truth_are_seen_and_not_scored(folders):
    maps, masks, _ = folders
    scoring = map_scoring('x', NAMES, 'all', [])
    files = [ScoredFile(f'{maps}/0.npz'),
             ScoredFile(f'{maps}/1.npz', f'{masks}/1.png', 1)]
    assert [file.index for file, _ in scoring.run(files)] == [0, 1]
    assert scoring.scored == 1


def test_all_wrong_files_are_named(folders, registered, tmp_path):
    maps, masks, _ = folders
    write_map(f'{maps}/0.npz', np.zeros((1, 6, 8), np.float32), [2])
    write_map(f'{maps}/2.npz', np.zeros((1, 5, 8), np.float32), [0])
    with pytest.raises(DataError) as error:
        apis.evaluate_pseudo_labels(maps, masks, NAMES[1:],
                                    scorers=[registered])
    assert '0.npz: classes [2], but there are 2' in str(error.value)
    assert '2.npz: 5 x 8, but the mask' in str(error.value)
    assert '2 problem(s)' in str(error.value)


def test_masks_have_no_score_of_maps(folders, registered):
    _, masks, _ = folders
    with pytest.raises(DataError, match='Inside is a score of maps'):
        apis.evaluate_pseudo_labels(masks, masks, NAMES[1:],
                                    scorers=[registered])


def test_the_background_is_not_named_twice(folders, tmp_path):
    """Names would shift by one, and the scores with them."""
    maps, masks, _ = folders
    with pytest.raises(DataError, match="'background' stands there twice"):
        apis.evaluate_pseudo_labels(maps, masks, ['background', 'red'])
    (tmp_path / 'classes.txt').write_text('background\nred\n')
    with pytest.raises(DataError, match='classes.txt line 1: the background'):
        apis.evaluate_pseudo_labels(maps, masks, str(tmp_path / 'classes.txt'))


def test_an_unknown_scorer_is_named(folders):
    maps, masks, _ = folders
    for folder in (maps, masks):
        with pytest.raises(DataError, match="unknown scorer 'PixelLocalisati"
                           "on' .did you mean 'PixelLocalization'"):
            apis.evaluate_pseudo_labels(
                folder, masks, NAMES[1:],
                scorers=[dict(type='PixelLocalisation')])


def test_classes_of_the_means():
    assert Inside(NAMES, ['blue', 'background']).chosen == [2, 0]
    with pytest.raises(DataError, match="did you mean 'blue'"):
        Inside(NAMES, ['blu'])
    with pytest.raises(DataError, match=r'classes \[-1\]'):
        Inside(NAMES).check_labels(MapFile(
            np.array([-1]), np.zeros((1, 2, 2), np.float32), (2, 2)))
