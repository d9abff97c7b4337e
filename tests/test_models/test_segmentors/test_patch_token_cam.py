"""Classification on a ViT's patch tokens, at two depths."""
import pytest
import torch
import torch.nn.functional as F
from single_stage_nets import network, sample

from mmwsss.models import PatchTokenCAM

SIZE = (60, 83)  # ends within a patch


@pytest.fixture
def model():
    torch.manual_seed(0)
    return network(PatchTokenCAM, aux_layer=-2).eval()


@torch.no_grad()
def test_any_size_and_an_image_that_ends_within_a_patch(model):
    images = torch.rand(1, 3, *SIZE)
    encoded = model.encode(images)
    assert encoded.class_token.shape == (1, 48)
    assert encoded.final.shape == encoded.aux.shape == (1, 48, 4, 6)
    for maps in model.multi_scale_maps(images):
        assert maps.shape == (1, 4, *SIZE)


@torch.no_grad()
def test_each_map_is_of_its_block(model):
    blocks = []
    for layer in model.backbone.layers:
        layer.register_forward_hook(lambda *args: blocks.append(args[2]))
    encoded = model.encode(torch.rand(1, 3, *SIZE))
    for maps, tokens in ((encoded.aux, blocks[-2]),
                         (encoded.final, model.backbone.ln1(blocks[-1]))):
        torch.testing.assert_close(maps.flatten(2).transpose(1, 2),
                                   tokens[:, 1:])
    final, aux = model.responses(encoded)
    weight = model.aux_classifier.weight.flatten(1)
    torch.testing.assert_close(
        aux, torch.einsum('bdhw,cd->bchw', encoded.aux, weight))
    # Max pooling and a linear classifier without bias.
    pooled = encoded.final.amax((2, 3)) @ model.classifier.weight.flatten(1).T
    torch.testing.assert_close(model.class_logits(encoded), pooled)
    assert final.shape == aux.shape


def test_without_contrasts_it_is_the_baseline(model):
    images = torch.randn(2, 3, 64, 64)
    samples = [sample([1., 0, 0, 0], (64, 64)), sample([0., 1, 0, 1],
                                                       (64, 64))]
    losses = model(images, samples, mode='loss')
    assert set(losses) == {'loss_cls', 'loss_aux', 'loss_seg', 'loss_energy'}
    labels = torch.stack([one.gt_label.label_onehot for one in samples])
    torch.testing.assert_close(
        losses['loss_cls'],
        F.multilabel_soft_margin_loss(model.classify(images), labels))
    losses['loss_aux'].backward()
    assert model.aux_classifier.weight.grad.abs().sum() > 0
    assert model.classifier.weight.grad is None
    assert model.backbone.layers[-1].attn.qkv.weight.grad is None
    assert not model.backbone.pos_embed.requires_grad


@pytest.mark.parametrize('decay, pooled', [
    (0., 'max'), (1., 'mean')])
def test_pooling_decay(decay, pooled):
    torch.manual_seed(0)
    model = network(PatchTokenCAM, pooling_decay=decay)
    features = torch.randn(2, 48, 4, 6)
    want = model.classifier(
        features.amax((2, 3), True) if pooled == 'max' else
        features.mean((2, 3), True)).flatten(1)
    torch.testing.assert_close(
        model.pooled_logits(model.classifier, features), want)
