"""Photos in, masks out, in Python."""
import glob
import os.path as osp

import numpy as np
import pytest
from PIL import Image

from mmwsss import WSSSInferencer
from mmwsss.apis import generate_pseudo_labels
from mmwsss.files.masks import MaskClasses, read_mask
from mmwsss.problems import ConfigError, DataError


@pytest.fixture
def photos(shapes):
    return sorted(glob.glob(osp.join(shapes, 'JPEGImages', '*.jpg')))


@pytest.fixture
def segment(trained):
    cfg, checkpoint = trained
    return WSSSInferencer(cfg.filename, checkpoint, 'cpu', threshold=0.5)


def test_masks_are_those_of_gen_pseudo(trained, segment, photos, tmp_path):
    cfg, checkpoint = trained
    generate_pseudo_labels(cfg, checkpoint, str(tmp_path / 'out'),
                           threshold=0.5)
    labels = {osp.basename(path)[:-4]: ['red', 'blue'][i % 2]
              for i, path in enumerate(photos)}
    results = segment(photos, labels=labels, batch_size=3)
    assert [one.name for one in results] == sorted(labels)
    for one in results:
        want = read_mask(str(tmp_path / 'out' / 'masks' / f'{one.name}.png'),
                         MaskClasses(3))
        assert one.mask.shape == want.shape
        # The stored maps have 8 bits.
        assert (one.mask == want).mean() > 0.97
        assert set(np.unique(one.mask)) <= {
            0, segment.classes.index(labels[one.name])}


def test_results_say_what_is_where(segment, photos, tmp_path):
    result, other = segment([photos[0], Image.open(photos[1])],
                            labels=[['red'], ['red', 'blue']],
                            return_maps=True, out_dir=str(tmp_path))
    assert result.labels == ['red'] and other.labels == ['red', 'blue']
    assert set(other.maps) == {'red', 'blue'}
    assert set(result.scores) == {'red', 'blue'}
    assert result.maps['red'].shape == result.mask.shape
    assert (result.mask_at(0.5) == result.mask).all()
    assert result.mask_at(0.9).sum() < result.mask_at(0.1).sum()
    assert result.areas().get('red', 0) == pytest.approx(
        (result.mask == 1).mean())
    overlay = result.overlay()
    assert overlay.dtype == np.uint8 and overlay.shape == result.photo.shape
    with Image.open(tmp_path / 'masks' / 'img0.png') as mask:
        assert (np.asarray(mask) == result.mask).all()
    assert (tmp_path / 'overlays' / 'img1.png').is_file()


def test_labels_are_predicted_where_none_are_given(segment, photos):
    for result in segment(photos[:3]):
        likely = {name for name, score in result.scores.items()
                  if score >= 0.5}
        assert set(result.labels) == likely or len(result.labels) == 1
        assert not result.maps


def test_a_bad_photo_does_not_lose_the_others(segment, photos, tmp_path):
    bad = tmp_path / 'bad.jpg'
    bad.write_bytes(b'no photo')
    results = segment([photos[0], str(bad), photos[1]])
    assert [one.name for one in results] == ['img0', 'img1']
    assert list(segment.failed) == ['bad']
    with pytest.raises(DataError, match='bad.jpg'):
        segment(str(bad))


@pytest.mark.parametrize('labels, message', [
    ('redd', "did you mean 'red'"), ([['red']], '1 lists for 2 photos'),
    (dict(img0=['red']), 'none for img1')])
def test_wrong_labels_are_named(segment, photos, labels, message):
    with pytest.raises(DataError, match=message):
        segment(photos[:2], labels=labels)


def test_two_photos_of_one_name_are_not_written_to_one_file(
        segment, photos, tmp_path):
    with pytest.raises(DataError, match="two photos are called 'img0'"):
        segment([photos[0], photos[0]], out_dir=str(tmp_path))


def test_without_a_threshold_one_is_found(trained, photos):
    cfg, checkpoint = trained
    found = WSSSInferencer(cfg.filename, checkpoint, 'cpu')(
        photos, return_maps=True)
    assert len(found) == 8
    with pytest.raises(ConfigError, match='return_maps'):
        WSSSInferencer(cfg.filename, checkpoint, 'cpu')(
            photos[0])[0].mask_at(0.4)


def test_a_segmentor_finds_classes_itself(segmentor_config, shapes, photos,
                                          tmp_path):
    from mmwsss.apis import best_checkpoint, load_config, train
    cfg = load_config(segmentor_config, dict(
        pseudo_masks=osp.join(shapes, 'SegmentationClassAug')),
        work_dir=str(tmp_path / 'seg'))
    train(cfg)
    checkpoint = best_checkpoint(cfg.work_dir)
    segment = WSSSInferencer(segmentor_config, checkpoint, 'cpu')
    [result] = segment(photos[0], return_maps=True)
    assert result.mask.shape == result.photo.shape[:2]
    assert result.labels == [segment.classes[i]
                             for i in np.unique(result.mask) if i]
    assert set(result.maps) == set(result.labels) and not result.scores
    [limited] = segment(photos[0], labels='blue')
    assert set(np.unique(limited.mask)) <= {0, 2}
