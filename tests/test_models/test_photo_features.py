"""Features of whole photos."""
import pytest
import torch

from mmwsss.models import ClassTokenViT, ResNetTaps, TokenViT
from mmwsss.models.photo_features import PhotoFeatures

SMALL = dict(img_size=32, patch_size=8,
             arch=dict(embed_dims=16, num_layers=2, num_heads=2,
                       feedforward_channels=32))


@pytest.fixture
def weights(tmp_path):
    """A file of a plain ViT's weights."""
    torch.manual_seed(1)
    path = str(tmp_path / 'vit.pth')
    torch.save(TokenViT(**SMALL).state_dict(), path)
    return path


@pytest.mark.parametrize('options', [
    dict(type='ClassTokenViT', num_classes=3, hide_extra_tokens=True),
    dict(type='mmwsss.ClassTokenViT', num_classes=2, final_norm=False),
    dict(type='TokenViT', out_indices=(0, 1)),
])
def test_localizers_of_one_file_see_the_same(weights, options):
    images = torch.rand(2, 3, 40, 53)
    found = PhotoFeatures(dict(pretrained=weights, **options, **SMALL))(images)
    plain = PhotoFeatures(dict(type='TokenViT', pretrained=weights, **SMALL))
    assert torch.equal(found, plain(images))
    assert found.shape == (2, 32)
    assert not found.requires_grad


def test_they_are_the_class_token_and_the_mean_patch(weights):
    network = PhotoFeatures(dict(type='TokenViT', pretrained=weights, **SMALL))
    images = torch.rand(1, 3, 32, 48)
    tokens = TokenViT(pretrained=weights, out_type='raw', **SMALL)
    tokens.init_weights()
    tokens.eval()
    expected = tokens(images)[0][0]
    torch.testing.assert_close(network(images)[0], torch.cat(
        [expected[0], expected[1:].mean(0)]))


def test_photos_of_a_batch_do_not_mix(weights):
    network = PhotoFeatures(dict(type='TokenViT', pretrained=weights, **SMALL))
    images = torch.rand(3, 3, 24, 24)
    torch.testing.assert_close(
        network(images), torch.cat([network(one[None]) for one in images]))


def test_a_cnn_gives_its_mean(tmp_path):
    path = str(tmp_path / 'resnet.pth')
    torch.save(ResNetTaps().state_dict(), path)
    network = PhotoFeatures(dict(type='ResNetTaps', pretrained=path))
    images = torch.rand(1, 3, 64, 64)
    torch.testing.assert_close(
        network(images), network.backbone(images)[-1].mean((2, 3)))


def test_it_leaves_the_config_alone(weights):
    options = dict(type='ClassTokenViT', num_classes=3, pretrained=weights,
                   **SMALL)
    before = dict(options)
    PhotoFeatures(options)
    assert options == before
    assert not isinstance(PhotoFeatures(options).backbone, ClassTokenViT)
