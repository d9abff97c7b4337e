"""What all localizers share: maps by label, several views, scores."""
import pytest
import torch
from mmct_nets import build_mmct, samples


def test_localize_gives_one_map_for_each_named_class():
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


@pytest.mark.parametrize('scales, labels, passes', [
    ((1.0, ), [1, 0], 2),  # the image and its mirror image
    ((0.5, 1.0), [1, 0], 4),
    ((0.5, ), [1, 0], 3),  # no view of scale 1: one more for the scores
    ((1.0, ), [0, 0], 1),  # nothing to localize
])
def test_scores_come_with_the_maps(scales, labels, passes, monkeypatch):
    model = build_mmct(test_cfg=dict(attention_layers=2, affinity_layers=3,
                                with_maps=True, scales=scales))
    images = torch.randn(1, 3, 48, 64)
    want = model.classify(images).sigmoid()[0]
    calls = []
    forward = model.backbone.forward
    monkeypatch.setattr(model.backbone, 'forward', lambda *args, **kwargs: (
        calls.append(1), forward(*args, **kwargs))[1])
    with torch.no_grad():
        [sample] = model.predict(images, samples(labels))
    assert len(calls) == passes
    torch.testing.assert_close(sample.pred_label.score, want,
                               atol=1e-5, rtol=1e-5)
    assert sample.pred_maps.shape == (48, 64)
