"""Gradients of CLIP's last layer, against CLIP-ES and one class at a time."""
import pytest
import torch
from clip_nets import CLIPFile, small_vit, text_classes
from parity_files import close

from mmwsss.models import CLIPFeatures, TextGradCAM
from mmwsss.models.backbones.token_vit import MeanAttention, attention_branch
from mmwsss.ops import min_max

CLASSES = 5


@pytest.fixture(scope='module')
def file(test_data):
    return CLIPFile(test_data('parity', 'clip_es_cam.npz'))


@pytest.fixture
def evidence(file, tmp_path):
    return text_classes(TextGradCAM, tmp_path / 'text.npz', file['fg_text'],
                        file['bg_text'],
                        scale=file['sd/logit_scale'].exp().item())


def images(file):
    return sorted({key.split('/')[0] for key in file if '/image' in key})


def check_maps(got, file, image, tolerance=2e-5):
    """Against the published maps, which are scaled twice.

    Compared as they were before, since that enlarges rounding errors where a
    map has little contrast; each scaling adds 1e-7.
    """
    weights = file[f'{image}/grad'].mean((2, 3))
    raw = torch.einsum('kd,dhw->khw', weights, file[f'{image}/act']).relu()
    span = raw.amax((1, 2), keepdim=True) - raw.amin((1, 2), keepdim=True)
    once = span / (span + 1e-7)
    twice = once / (once + 1e-7)
    close(got * twice * span, file[f'{image}/cam'] * span, tolerance)


def onehot(labels, count):
    return torch.nn.functional.one_hot(labels, count).sum(0)[None].float()


def test_maps_parity(file, evidence):
    """From the photo: the published position embeddings are rounded."""
    vit = file.vit()
    for image in images(file):
        labels = file[f'{image}/labels']
        features = evidence.encode(vit, file[f'{image}/image'][None],
                                   file.config['num_attn_layers'])
        close(features.tokens[-1][0][:, None],
              file[f'{image}/tokens_before_last_block'], 1e-3)
        maps, attention = evidence(vit, features,
                                   onehot(labels, evidence.num_classes))
        check_maps(maps[0, labels], file, image, 1e-3)
        want = file[f'{image}/attn'][-len(attention):, 1:, 1:]
        assert len(attention) == file.config['num_attn_layers']
        close(torch.cat(attention), want, 1e-3)


def test_gradients_parity(file, evidence, monkeypatch):
    """From the stored tokens: text scores, gradients and their maps."""
    vit, found = file.vit(), {}

    def spy(*args, **kwargs):
        found['gradient'] = real(*args, **kwargs)
        return found['gradient']

    real = torch.autograd.grad
    monkeypatch.setattr(torch.autograd, 'grad', spy)
    for image in images(file):
        tokens = file[f'{image}/tokens_before_last_block'].transpose(0, 1)
        labels, want = file[f'{image}/labels'], file[f'{image}/grad']
        grid = tuple(want.shape[-2:])
        present = onehot(labels, evidence.num_classes)
        maps, [attention] = evidence(
            vit, CLIPFeatures([tokens], grid, [], []), present)
        check_maps(maps[0, labels], file, image)
        close(attention[0], file[f'{image}/attn'][-1, 1:, 1:])
        [gradient] = found['gradient']  # (K, B, L, D)
        classes = present.topk(len(labels)).indices[0].tolist()
        order = [classes.index(label) for label in labels.tolist()]
        shown = file[f'{image}/text_prob'][:len(labels), None, None, None]
        # The published gradient is the probability's, ours its logit's.
        close(gradient[order, 0, 1:].transpose(1, 2).unflatten(2, grid) *
              shown * (1 - shown), want, 1e-4)
        layer = vit.layers[-1]
        close(layer.ln1(tokens)[0, 1:].t().unflatten(1, grid),
              file[f'{image}/act'])
        pooled = vit.project(layer(tokens))[:, 1:].mean(1)
        shown = evidence.probabilities(pooled, evidence.scale, present)
        close(shown[0, labels], file[f'{image}/text_prob'][:len(labels)])


@pytest.fixture
def small(tmp_path):
    return small_vit(), text_classes(
        TextGradCAM, tmp_path / 'text.npz', torch.randn(CLASSES, 12),
        torch.randn(3, 12), scale=10.)


def one_class_at_a_time(vit, evidence, images, onehot):
    """Maps with a pass and a plain backward for each image and class."""
    maps = torch.zeros(*onehot.shape, *(side // 8 for side in
                                        images.shape[2:]))
    for i, k in onehot.nonzero().tolist():
        features = evidence.encode(vit, images[i:i + 1])
        layer, tokens = vit.layers[-1], features.tokens[-1]
        normed = layer.ln1(tokens).requires_grad_()
        middle = tokens + attention_branch(layer, normed, MeanAttention())
        last = layer.ffn(layer.ln2(middle), identity=middle)
        pooled = vit.project(last)[:, 1:].mean(1)
        evidence.probabilities(pooled, evidence.scale,
                               onehot[i:i + 1])[0, k].backward()
        weights = normed.grad[0, 1:].mean(0)
        cam = (normed.detach()[0, 1:] @ weights).relu()
        maps[i, k] = min_max(cam.view(maps.shape[2:]))
    return maps


LABELS = torch.tensor([[1., 0, 1, 1, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]])


@pytest.mark.parametrize('size', [(32, 32), (24, 56)])
def test_all_classes_at_once_are_one_class_at_a_time(small, size):
    images = torch.randn(3, 3, *size)
    features = small[1].encode(small[0], images)
    got, _ = small[1](*small[:1], features, LABELS)
    want = one_class_at_a_time(*small, images, LABELS)
    assert want.flatten(2).amax(2)[LABELS > 0].max() == 1
    torch.testing.assert_close(got, want, rtol=1e-3, atol=1e-4)
    assert not got[LABELS == 0].any()


def test_images_do_not_depend_on_their_companions(small):
    vit, evidence = small
    images = torch.randn(3, 3, 32, 40)
    together, attention = evidence(
        vit, evidence.encode(vit, images, 3), LABELS)
    for i in range(3):
        alone, own = evidence(vit, evidence.encode(vit, images[i:i + 1], 3),
                              LABELS[i:i + 1])
        torch.testing.assert_close(together[i:i + 1], alone, rtol=1e-3,
                                   atol=1e-4)
        for one, other in zip(attention, own, strict=True):
            torch.testing.assert_close(one[i:i + 1], other)


def test_images_without_any_label_have_no_map(small):
    vit, evidence = small
    features = evidence.encode(vit, torch.randn(2, 3, 32, 32))
    maps, _ = evidence(vit, features, torch.zeros(2, CLASSES))
    assert maps.shape == (2, CLASSES, 4, 4) and not maps.any()


def test_without_labels_every_class_has_a_map(small):
    vit, evidence = small
    images = torch.randn(1, 3, 32, 32)
    features = evidence.encode(vit, images)
    got, _ = evidence(vit, features)
    # All compete, as they do where an image has every class.
    want, _ = evidence(vit, features, torch.ones(1, CLASSES))
    close(got, want)
    assert (got.flatten(2).amax(2) == 1).sum() >= 2


def test_it_works_where_gradients_are_off_and_leaves_none(small):
    vit, evidence = small
    features = evidence.encode(vit, torch.randn(1, 3, 32, 32), 2)
    with torch.no_grad():
        maps, attention = evidence(vit, features, LABELS[:1])
    assert maps.any()
    assert not any(x.requires_grad for x in (maps, *attention))
    assert all(p.grad is None for p in vit.parameters())


@pytest.mark.parametrize('layers', [0, 1, 2, 4])
def test_attention_of_the_last_layers(small, layers):
    vit, evidence = small
    images = torch.randn(2, 3, 32, 40)
    _, attention = evidence(vit, evidence.encode(vit, images, layers),
                            LABELS[:2])
    # The last layer's comes for free.
    want = vit.encode(images, None, max(layers, 1)).attention
    for one, other in zip(attention, want, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_levels_are_those_of_the_layers_that_have_run(small):
    vit, evidence = small
    images = torch.randn(1, 3, 32, 32)
    levels = evidence.levels(evidence.encode(vit, images))
    every = vit.encode(images).tokens
    assert len(levels) == len(vit.layers) - 1
    for got, want in zip(levels, every[1:]):
        close(got, want)


@pytest.mark.parametrize('precision', ['half', 'single'])
def test_scores_are_those_of_the_mean_patch(small, precision):
    vit, evidence = small
    images = torch.randn(2, 3, 32, 32)
    pooled = vit.project(vit.encode(images).tokens[-1])[:, 1:].mean(1)
    want = evidence.probabilities(pooled, 10.)
    if precision == 'half':
        vit = small_vit(half=True)
    got = evidence.classify(vit, evidence.encode(vit, images))
    close(got, want, 3e-2 if precision == 'half' else 2e-5)


def test_half_precision_is_close(small):
    vit, evidence = small
    images = torch.randn(2, 3, 32, 40)
    want, _ = evidence(vit, evidence.encode(vit, images), LABELS[:2])
    half = small_vit(half=True)
    got, _ = evidence(half, evidence.encode(half, images), LABELS[:2])
    assert got.dtype == torch.float32
    assert (got - want).abs().mean() < 0.02


@pytest.mark.parametrize('half', [False, True])
def test_maps_do_not_fade_where_clip_is_sure(small, half):
    """Probabilities of 0 and 1 have no gradient, their logits have."""
    vit, evidence = small_vit(half=half), small[1]
    evidence.scale = 300.
    features = evidence.encode(vit, torch.randn(3, 3, 32, 40))
    labels = torch.ones(3, CLASSES)
    maps, _ = evidence(vit, features, labels)
    shown = evidence.classify(vit, features)
    assert (shown == 0).any()
    # A map is empty only where the weighted sum is negative everywhere.
    assert (maps.flatten(2).amax(2) == 1).float().mean() > 0.5
