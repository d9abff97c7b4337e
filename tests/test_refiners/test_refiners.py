"""Refiners of maps, alone and inside generation."""
import os
import os.path as osp

import numpy as np
import pytest
import torch

from mmwsss.apis import generate_pseudo_labels, load_config
from mmwsss.files.maps import read_map
from mmwsss.ops import dense_crf, unary_from_probabilities
from mmwsss.problems import ConfigError
from mmwsss.refiners import PAR, DenseCRF
from mmwsss.refiners.dense_crf import crf_backend
from mmwsss.registry import REFINERS


@pytest.fixture
def scene():
    """A grey photo with a red square, and a map that is too small for it."""
    image = torch.full((3, 32, 40), 128, dtype=torch.uint8)
    image[:, 8:24, 8:24] = torch.tensor([220, 20, 20]).view(3, 1, 1)
    image = (image + torch.randint(0, 6, image.shape, generator=torch
                                   .Generator().manual_seed(0))).byte()
    maps = torch.full((1, 32, 40), 0.05)
    maps[:, 9:22, 9:22] = 0.9
    return image, maps, torch.tensor([4])


@pytest.mark.parametrize('refiner', [
    dict(type='DenseCRF', bilateral_sxy=20, background=0.2),
    dict(type='DenseCRF', bilateral_sxy=20, unary='labels'),
    dict(type='PAR', dilations=(1, 2, 4)),
])
def test_a_map_grows_to_the_object(scene, refiner):
    image, maps, labels = scene
    refined = REFINERS.build(refiner)(image, maps, labels)
    assert refined.shape == maps.shape and refined.dtype == maps.dtype
    assert 0 <= refined.min() and refined.max() <= 1
    corner = refined[0, 22:24, 22:24].mean()
    outside = refined[0, 26:28, 26:28].mean()
    assert corner > 0.3 and outside < 0.1


@pytest.mark.parametrize('unary', ['probabilities', 'labels'])
def test_backends_of_the_crf_agree(scene, unary):
    image, maps, labels = scene
    maps = torch.cat([maps, torch.rand(1, 32, 40)])
    ours, theirs = (DenseCRF(unary=unary, backend=name)(image, maps, labels)
                    for name in ('torch', 'pydensecrf'))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-3)
    assert not torch.allclose(ours, maps, atol=0.1)


def test_the_fastest_crf_is_taken(scene, monkeypatch):
    image, maps, labels = scene
    used = []
    for name in ('_pydensecrf', 'dense_crf'):
        monkeypatch.setattr(
            f'mmwsss.refiners.dense_crf.{name}',
            lambda image, unary, name=name, **options: (
                used.append(name), unary.softmax(0))[1])
    DenseCRF()(image, maps, labels)
    monkeypatch.setattr('mmwsss.refiners.dense_crf.find_spec',
                        lambda name: None)
    DenseCRF()(image, maps, labels)
    assert used == ['_pydensecrf', 'dense_crf']


def test_both_crfs_have_the_same_defaults(scene):
    image, maps, _ = scene
    unary = unary_from_probabilities(torch.cat([1 - maps, maps]))
    torch.testing.assert_close(
        *(crf_backend(name)(image, unary) for name in ('torch', 'auto')),
        rtol=0, atol=1e-3)


def test_a_refined_map_is_the_share_against_background(scene):
    image, maps, labels = scene
    scores = torch.cat([torch.full_like(maps, 0.2), maps])
    probabilities = dense_crf(
        image, unary_from_probabilities(scores / scores.sum(0)))
    # Two labels: their probabilities sum to 1.
    refiner = DenseCRF(background=0.2, backend='torch')
    torch.testing.assert_close(refiner(image, maps, labels),
                               probabilities[1:])


def test_an_image_without_classes():
    image = torch.zeros(3, 8, 8, dtype=torch.uint8)
    for refiner in (DenseCRF(), PAR()):
        none = refiner(image, torch.zeros(0, 8, 8), torch.zeros(0).long())
        assert none.shape == (0, 8, 8)


@pytest.mark.parametrize('options', [
    dict(backend='cuda'), dict(unary='maps'), dict(background=0.)])
def test_wrong_options_are_named(options):
    with pytest.raises(ValueError, match=f'DenseCRF.{next(iter(options))}='):
        DenseCRF(**options)


REFINED = '''
_base_ = {root!r}
refiners = [dict(type='PAR', dilations=(1, 2)),
            dict(type='DenseCRF', bilateral_sxy=20)]
refine_workers = 2
'''


def test_refiners_of_a_config_chain(trained, localizer_config, tmp_path):
    _, checkpoint = trained
    path = tmp_path / 'refined.py'
    path.write_text(REFINED.format(root=localizer_config))
    plain, pool, alone = (str(tmp_path / name)
                          for name in ('plain', 'pool', 'alone'))
    plain_cfg = load_config(localizer_config, work_dir=str(tmp_path / 'w'))
    cfg = load_config(str(path), work_dir=str(tmp_path / 'w'))
    generate_pseudo_labels(plain_cfg, checkpoint, plain)
    generate_pseudo_labels(cfg, checkpoint, pool)
    cfg.refine_workers = 0
    generate_pseudo_labels(cfg, checkpoint, alone)
    names = sorted(os.listdir(osp.join(plain, 'maps')))
    assert len(names) == 8
    for name in names:
        files = []
        for folder in (pool, alone):
            with open(osp.join(folder, 'maps', name), 'rb') as file:
                files.append(file.read())
        assert files[0] == files[1]
        before, after = (read_map(osp.join(folder, 'maps', name)).maps
                         for folder in (plain, pool))
        assert np.abs(before - after).max() > 0.1
    with pytest.raises(ConfigError, match='other settings'):
        generate_pseudo_labels(cfg, checkpoint, plain)
