"""Segments without a class vote on maps."""
import os

import numpy as np
import pytest
import torch
from command_lines import run_tool

from mmwsss.apis import generate_pseudo_labels, load_config
from mmwsss.files.maps import read_map
from mmwsss.files.segments import write_labels, write_masks
from mmwsss.problems import DataError
from mmwsss.refiners import SegmentVote


@pytest.fixture
def square(tmp_path):
    """Segments of the photo of ``scene``: the red square, and the rest."""
    labels = np.ones((32, 40), int)
    labels[8:24, 8:24] = 2
    write_labels(str(tmp_path / 'square.png'), labels)
    return str(tmp_path)


def test_a_map_becomes_its_segment(scene, square):
    image, maps, labels = scene
    refined = SegmentVote(square)(image, maps, labels, 'square')
    inside = torch.zeros(32, 40, dtype=torch.bool)
    inside[8:24, 8:24] = True
    assert torch.equal(refined[0] > 0.5, inside)
    assert refined[0][inside].min() >= 0.55
    assert refined[0][~inside].max() <= 0.45
    # Where all win, or all lose, the order of the values stays.
    assert refined[0, 10, 10] > refined[0, 8, 8]
    torch.testing.assert_close(
        refined[0] - 0.55 * inside, 0.45 * maps[0])


def test_a_photo_made_smaller(scene, square):
    image, maps, labels = scene
    small = SegmentVote(square)(image[:, ::2, ::2], maps[:, ::2, ::2], labels,
                                'square')
    assert (small > 0.5).sum() == 8 * 8


def test_pixels_in_no_segment_keep_what_the_maps_say(scene, square):
    image, maps, labels = scene
    write_masks(f'{square}/none.json', [], [])
    refined = SegmentVote(square, background=0.3)(image, maps, labels, 'none')
    assert torch.equal(refined > 0.5, maps > 0.3)
    two = torch.cat([maps, maps])  # equal maps: both stay where they are
    refined = SegmentVote(square)(image, two, torch.tensor([1, 2]), 'none')
    assert torch.equal(refined > 0.5, two > 0.4)


@pytest.mark.parametrize('shares, wins', [
    (dict(), False), (dict(majority=0.3), True), (dict(coverage=0.6), True),
    (dict(majority=0.7, coverage=0.7), False)])
def test_each_share_is_enough(shares, wins, tmp_path):
    """A map has 4 pixels of a segment's 10, and 2 outside of it."""
    labels = np.array([[1] * 10 + [2] * 10])
    write_labels(str(tmp_path / 'a.png'), labels)
    maps = torch.zeros(1, 1, 20)
    maps[..., 6:12] = 1
    refined = SegmentVote(str(tmp_path), **shares)(
        torch.zeros(3, 1, 20).byte(), maps, torch.tensor([0]), 'a')
    assert torch.equal(refined[0, 0] > 0.5,
                       torch.tensor([wins] * 10 + [False] * 10))


@pytest.mark.parametrize('seed', range(5))
def test_no_class_goes_before_another(seed, tmp_path):
    """Exchanged maps are refined as before; many of their values are equal."""
    rng = np.random.default_rng(seed)
    maps = torch.from_numpy(rng.integers(0, 6, (4, 9, 10)) / np.float32(5))
    write_masks(str(tmp_path / 'a.json'), rng.random((9, 9, 10)) < 0.3,
                [1] * 9)
    refiner = SegmentVote(str(tmp_path), coverage=0.3, majority=0.3)
    order = torch.randperm(4)
    image = torch.zeros(3, 9, 10, dtype=torch.uint8)
    refined = refiner(image, maps, torch.arange(4), 'a')
    assert torch.equal(refiner(image, maps[order], order, 'a'),
                       refined[order])
    assert refined.min() >= 0 and refined.max() <= 1


def test_without_a_name_it_says_so(scene, square):
    with pytest.raises(DataError, match='by the name of the image'):
        SegmentVote(square)(*scene)
    with pytest.raises(DataError, match='other.json or .png: no such file'):
        SegmentVote(square)(*scene, 'other')


@pytest.mark.parametrize('wrong', [
    dict(background=0), dict(background=1.5), dict(majority=-1),
    dict(coverage=2), dict(order='sorted')])
def test_wrong_settings_are_named(square, wrong):
    [name] = wrong
    with pytest.raises(ValueError, match=f'SegmentVote.{name}='):
        SegmentVote(square, **wrong)


def test_segments_are_in_the_fingerprint_wherever_they_lie(tmp_path):
    prints = []
    for folder, first in (('here', 1), ('there', 1), ('other', 2)):
        os.mkdir(tmp_path / folder)
        for name in 'ab':
            write_labels(str(tmp_path / folder / f'{name}.png'),
                         np.full((3, 4), first))
        prints.append(SegmentVote(str(tmp_path / folder)).fingerprint())
    assert prints[0] == prints[1] != prints[2]
    assert SegmentVote(str(tmp_path / 'here'),
                       order='published').fingerprint() != prints[0]
    with pytest.raises(DataError, match='no such folder of segments'):
        SegmentVote(str(tmp_path / 'nowhere')).fingerprint()


CONFIG = '''
_base_ = {base!r}
refiners = [dict(type='SegmentVote', segments={segments!r}, background=0.5)]
'''


def test_in_a_config_by_the_name_of_the_photo(trained, localizer_config,
                                              tmp_path):
    cfg, checkpoint = trained
    plain, voted, segments = (str(tmp_path / name) for name in (
        'plain', 'voted', 'segments'))
    generate_pseudo_labels(cfg, checkpoint, plain)
    names = sorted(os.listdir(f'{plain}/maps'))
    os.mkdir(segments)
    config = tmp_path / 'voted.py'
    config.write_text(CONFIG.format(base=localizer_config,
                                    segments=segments))
    # What is missing is said before the first image, all together.
    stop = run_tool('gen_pseudo', config, '--maps', f'{plain}/maps',
                    '--out-dir', voted)
    assert 'segments: 8 problem(s)' in stop and names[0][:-4] in stop
    assert not os.path.isdir(f'{voted}/maps')
    for number, name in enumerate(names):
        file = read_map(f'{plain}/maps/{name}')
        left = np.ones(file.size, int)
        left[:, file.size[1] // 2 + number:] = 2
        write_labels(f'{segments}/{name[:-4]}.png', left)
    stop = run_tool('gen_pseudo', config, '--maps', f'{plain}/maps',
                    '--out-dir', voted)
    assert stop is None
    for number, name in enumerate(names):
        won = read_map(f'{voted}/maps/{name}').maps > 0.5
        edge = won.shape[2] // 2 + number
        for half in (won[..., :edge], won[..., edge:]):
            assert (half.all((1, 2)) | ~half.any((1, 2))).all(), name
    # Other segments are other maps.
    write_labels(f'{segments}/{names[0][:-4]}.png', left)
    stop = run_tool('gen_pseudo', config, '--maps', f'{plain}/maps',
                    '--out-dir', voted)
    assert 'other settings' in stop


def test_a_config_that_names_it_is_read(localizer_config, tmp_path):
    config = tmp_path / 'voted.py'
    config.write_text(CONFIG.format(base=localizer_config, segments='x'))
    assert load_config(str(config)).refiners[0].type == 'SegmentVote'
