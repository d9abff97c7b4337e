"""The dense CRF as a refiner."""
import pytest
import torch

from mmwsss.ops import dense_crf, unary_from_probabilities
from mmwsss.refiners import DenseCRF
from mmwsss.refiners.dense_crf import crf_backend


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


@pytest.mark.parametrize('options', [
    dict(backend='cuda'), dict(unary='maps'), dict(background=0.)])
def test_wrong_options_are_named(options):
    with pytest.raises(ValueError, match=f'DenseCRF.{next(iter(options))}='):
        DenseCRF(**options)


def test_the_compiled_crf_refuses_a_device():
    with pytest.raises(ValueError, match="works on CPUs, not on device='cuda"):
        DenseCRF(backend='pydensecrf', device='cuda')
