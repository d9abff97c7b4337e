"""What every localizer promises, whatever its network."""
from functools import partial

import pytest
import torch
from mmct_nets import build_mmct
from mmengine.structures import LabelData
from mmseg.structures import SegDataSample
from shapes import tiny_model
from single_stage_nets import afa, toco

from mmwsss.models import CAMLocalizer
from mmwsss.registry import MODELS

SIZE = (48, 64)


def mmct(**test_cfg):
    return MODELS.build(tiny_model(num_classes=3, test_cfg=dict(
        attention_layers=2, affinity_layers=3, **test_cfg)))


def cam(**test_cfg):
    vit = dict(type='TokenViT', img_size=48, patch_size=8,
               arch=dict(embed_dims=32, num_layers=2, num_heads=2,
                         feedforward_channels=64))
    return CAMLocalizer(vit, dict(type='mmseg.SegDataPreProcessor'), 3,
                        test_cfg=test_cfg)


LOCALIZERS = dict(
    MMCT=mmct, CAMLocalizer=cam, ToCo=partial(toco, num_classes=3),
    AFA=partial(afa, num_classes=3, test_cfg=dict(maps='affinity')))


def samples(*labels):
    result = []
    for label in labels:
        sample = SegDataSample(metainfo=dict(img_shape=SIZE, ori_shape=SIZE))
        sample.gt_label = LabelData(label_onehot=torch.tensor(label).float())
        result.append(sample)
    return result


@pytest.fixture(params=LOCALIZERS)
def model(request):
    torch.manual_seed(0)
    return LOCALIZERS[request.param]().eval()


@pytest.fixture
def images():
    torch.manual_seed(1)
    return torch.randn(3, 3, *SIZE)


@torch.no_grad()
def test_class_maps_are_not_negative_and_one_a_class(model, images):
    logits, maps = model.logits_and_maps(images)
    assert logits.shape == (3, 3)
    assert maps.shape == (3, 3, *(side // model.patch_size for side in SIZE))
    assert maps.min() >= 0 and maps.max() > 0
    assert torch.equal(model.class_maps(images), maps)
    torch.testing.assert_close(logits, model.classify(images))


def test_localize_gives_a_map_for_each_named_class(model, images):
    maps = model.localize(images, samples([1, 0, 1], [0, 0, 0], [0, 1, 0]))
    assert [len(one) for one in maps] == [2, 0, 1]
    for one in maps:
        assert one.shape[1:] == SIZE and not one.requires_grad
        assert torch.isfinite(one).all()
        assert one.numel() == 0 or 0 <= one.min() <= one.max() <= 1
    every = model.localize(images, samples(*[[1, 1, 1]] * 3))
    for one, of_all in ((maps[0], every[0][[0, 2]]), (maps[2], every[2][[1]])):
        torch.testing.assert_close(one, of_all, rtol=0, atol=1e-4)
        assert one.max() > 0.5


@torch.no_grad()
def test_localize_mode_fills_maps_and_scores(model, images):
    batch = samples([1, 0, 1], [0, 0, 0], [0, 1, 0])
    maps = model.localize(images, batch)
    found = model(images, batch, mode='localize')
    assert [one.pred_maps.labels for one in found] == [[0, 2], [], [1]]
    scores = model.classify(images).sigmoid()
    for sample, one, score in zip(found, maps, scores):
        assert torch.equal(sample.pred_maps.data, one)
        torch.testing.assert_close(sample.pred_label.score, score, rtol=1e-5,
                                   atol=1e-5)


@torch.no_grad()
def test_predict_makes_no_maps(model, images):
    for sample in model(images, samples(*[[0, 1, 1]] * 3), mode='predict'):
        assert 'pred_maps' not in sample


@torch.no_grad()
@pytest.mark.parametrize('build', [mmct, cam])
def test_predict_gives_scores(build, images):
    model = build().eval()
    found = model(images, samples(*[[0, 1, 1]] * 3), mode='predict')
    assert torch.equal(torch.stack([one.pred_label.score for one in found]),
                       model(images).sigmoid())


@pytest.mark.parametrize('scales, labels, passes', [
    ((1.0, ), [1, 0, 0], 2),  # the image and its mirror image
    ((0.5, 1.0), [1, 0, 0], 4),
    ((0.5, ), [1, 0, 0], 3),  # no view of scale 1: one more for the scores
    ((1.0, ), [0, 0, 0], 1),  # nothing to localize
])
def test_scores_come_with_the_maps(scales, labels, passes, images,
                                   monkeypatch):
    model = mmct(scales=scales).eval()
    want = model.classify(images[:1]).sigmoid()[0]
    calls = []
    forward = model.backbone.forward
    monkeypatch.setattr(model.backbone, 'forward', lambda *args, **kwargs: (
        calls.append(1), forward(*args, **kwargs))[1])
    with torch.no_grad():
        [sample] = model(images[:1], samples(labels), mode='localize')
    assert len(calls) == passes
    torch.testing.assert_close(sample.pred_label.score, want,
                               atol=1e-5, rtol=1e-5)
    assert sample.pred_maps.shape == SIZE


def test_an_unknown_mode_is_named(model, images):
    with pytest.raises(ValueError, match="'maps': use one of .*'localize'"):
        model(images, mode='maps')


def test_maps_are_scaled_from_nothing_to_one():
    model = build_mmct(num_classes=3)
    images = torch.randn(3, 3, 40, 56)
    maps = model.localize(images, samples([1, 0, 1], [0, 0, 0], [0, 1, 0]))
    assert [tuple(m.shape) for m in maps] == [(2, 40, 56), (0, 40, 56),
                                              (1, 40, 56)]
    assert maps[0].amin((1, 2)).tolist() == [0, 0]
    assert maps[0].amax((1, 2)).tolist() == [1, 1]


def test_batch_and_single_images_agree():
    model = build_mmct()
    images = torch.randn(2, 3, 48, 48)
    both = samples([1, 0], [1, 1])
    together = model.localize(images, both)
    for i in range(2):
        alone = model.localize(images[i:i + 1], both[i:i + 1])[0]
        torch.testing.assert_close(together[i], alone, atol=1e-4, rtol=1e-4)


def test_flip_makes_maps_of_mirror_images_mirror_images():
    model = build_mmct(test_cfg=dict(attention_layers=2, affinity_layers=3,
                                flip=True))
    images = torch.randn(1, 3, 48, 48)
    one = model.localize(images, samples([1, 1]))[0]
    mirrored = model.localize(images.flip(-1), samples([1, 1]))[0]
    torch.testing.assert_close(one, mirrored.flip(-1), atol=1e-4, rtol=1e-4)
    model.test_cfg['flip'] = False
    without = model.localize(images, samples([1, 1]))[0]
    assert (without - one).abs().max() > 1e-3
