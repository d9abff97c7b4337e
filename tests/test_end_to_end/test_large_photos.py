"""Photos of a camera: bounded work, maps and masks of the photo's size."""
import glob
import os.path as osp

import numpy as np
import pytest
from PIL import Image

from mmwsss.apis import generate_pseudo_labels, load_config, train
from mmwsss.apis import test as run_test
from mmwsss.files.maps import read_map
from mmwsss.files.masks import read_mask
from mmwsss.problems import ConfigError


@pytest.fixture
def enlarged(shapes):
    """Every photo of ``shapes`` and its mask, six times as large."""
    return enlarge(shapes)


def enlarge(shapes):
    for path in glob.glob(osp.join(shapes, '*', 'img*')):
        with Image.open(path) as image:
            large = image.resize([6 * side for side in image.size],
                                 Image.Resampling.NEAREST)
        large.save(path, quality=95)
    return shapes


def maps_of(folder):
    return {osp.basename(path): read_map(path) for path in
            glob.glob(osp.join(folder, 'maps', '*.npz'))}


def test_maps_are_those_of_the_small_photos(trained, shapes,
                                            localizer_config, tmp_path):
    _, checkpoint = trained
    generate_pseudo_labels(load_config(localizer_config), checkpoint,
                           str(tmp_path / 'small'))
    small = maps_of(tmp_path / 'small')
    enlarge(shapes)
    cfg = load_config(localizer_config, dict(max_side=64))
    report = generate_pseudo_labels(cfg, checkpoint, str(tmp_path / 'out'))
    assert report['images_with_masks'] == 8 and 'mIoU' in report
    found = maps_of(tmp_path / 'out')
    assert len(found) == 8
    for name, file in found.items():
        assert file.size == file.maps.shape[1:] == (288, 384)
        with np.load(tmp_path / 'out' / 'maps' / name) as stored:
            assert stored['maps'].shape[1:] == (48, 64)
            difference = stored['maps'] / 255 - small[name].maps
        assert np.abs(difference).mean() < 0.1
        mask = read_mask(str(tmp_path / 'out' / 'masks' / name).replace(
            '.npz', '.png'))
        assert mask.shape == (288, 384)


def test_refiners_work_at_that_size(trained, enlarged, localizer_config,
                                    tmp_path, monkeypatch):
    _, checkpoint = trained
    from mmwsss.refiners import PAR
    sizes = set()
    original = PAR.refine
    monkeypatch.setattr(PAR, 'refine', lambda self, image, maps, labels: (
        sizes.add((*image.shape[1:], *maps.shape[1:])),
        original(self, image, maps, labels))[1])
    cfg = load_config(localizer_config, dict(max_side=64))
    cfg.refiners = [dict(type='PAR', iterations=1)]
    cfg.refine_workers = 0
    generate_pseudo_labels(cfg, checkpoint, str(tmp_path / 'out'))
    assert sizes == {(48, 64, 48, 64)}
    # Stored maps of the large photos are refined at that size, too.
    generate_pseudo_labels(cfg, None, str(tmp_path / 'again'),
                           maps=str(tmp_path / 'out' / 'maps'))
    assert sizes == {(48, 64, 48, 64)}


def test_a_segmentor_sees_small_photos_and_is_scored_on_large_ones(
        segmentor_config, enlarged, tmp_path, monkeypatch):
    options = dict(pseudo_masks=osp.join(enlarged, 'SegmentationClassAug'),
                   max_side=64)
    cfg = load_config(segmentor_config, options, str(tmp_path / 'run'))
    runner = train(cfg)
    seen = set()
    kind = type(runner.model.backbone)
    original = kind.forward
    monkeypatch.setattr(kind, 'forward', lambda self, x: (
        seen.add(tuple(x.shape[2:])), original(self, x))[1])
    scores = run_test(cfg, str(tmp_path / 'run' / 'iter_4.pth'),
                      out_dir=str(tmp_path / 'masks'))
    assert seen == {(48, 64)}
    assert 0 <= scores['mIoU'] <= 100
    assert read_mask(str(tmp_path / 'masks' / 'img0.png')).shape == (288, 384)
    scores = run_test(cfg, str(tmp_path / 'run' / 'iter_4.pth'), tta=True,
                      crf=True, out_dir=str(tmp_path / 'crf'))
    assert max(seen) <= (72, 96) and 'crf/mIoU' in scores
    assert read_mask(str(tmp_path / 'crf' / 'img0.png')).shape == (288, 384)


@pytest.mark.parametrize('value', [0, -3, 'large', 64.5])
def test_a_wrong_size_is_named(localizer_config, value):
    with pytest.raises(ConfigError, match='max_side='):
        load_config(localizer_config, dict(max_side=value))
