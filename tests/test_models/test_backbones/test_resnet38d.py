"""ResNet38d and the networks on it, against the published ones."""
import pytest
import torch
from parity_files import close, published_resnet38

from mmwsss.conversion.layouts import LAYOUTS
from mmwsss.registry import MODELS

PREPROCESSOR = dict(type='mmseg.SegDataPreProcessor')


@torch.no_grad()
def test_classifier_parity(resnet38_file):
    classes = resnet38_file.keys('cls')['fc8.weight'][0]
    model = published_resnet38(dict(
        type='CAMLocalizer', backbone=dict(type='ResNet38d'),
        data_preprocessor=PREPROCESSOR, num_classes=classes),
        resnet38_file, 'cls', LAYOUTS['resnet38_cls'])
    images = resnet38_file['input']
    close(model.classify(images), resnet38_file['cls/hash/logits'])
    close(model.class_maps(images), resnet38_file['cls/hash/cam'])


@torch.no_grad()
def test_segmentor_parity(resnet38_file):
    model = published_resnet38(dict(
        type='mmseg.EncoderDecoder', backbone=dict(type='ResNet38d'),
        data_preprocessor=PREPROCESSOR,
        decode_head=dict(type='DeepLabV1Head', in_channels=4096, in_index=-1,
                         num_classes=int(resnet38_file['num_classes']))),
        resnet38_file, 'seg', LAYOUTS['resnet38_seg'])
    features = model.backbone(resnet38_file['input'])
    conv4, conv5, conv6 = features
    close(conv4[:, ::8], resnet38_file['seg/hash/conv4_every8'])
    close(conv5[:, ::16], resnet38_file['seg/hash/conv5_every16'])
    close(conv6[:, ::32], resnet38_file['seg/hash/conv6_every32'])
    close(conv6.mean((2, 3)), resnet38_file['seg/hash/conv6_channel_mean'])
    close(model.decode_head(features), resnet38_file['seg/hash/logits'])
    # The whole of a dilated convolution is inside only here.
    features = model.backbone(resnet38_file['input_big'])
    close(model.decode_head(features), resnet38_file['seg/hash/logits_big'])


def test_batch_norm_is_never_trained():
    backbone = MODELS.build(dict(type='ResNet38d')).train()
    assert backbone.b6.dropout.training
    assert not backbone.bn7.training and not backbone.bn7.weight.requires_grad
    assert not backbone.b2_2.conv_branch2a.weight.requires_grad
    assert backbone.b3.conv_branch2a.weight.requires_grad


@pytest.mark.parametrize('size', [(1, 1), (17, 40)])
def test_odd_sizes_round_up(size):
    with torch.device('meta'):
        backbone = MODELS.build(dict(type='ResNet38d')).eval()
        features = backbone(torch.rand(1, 3, *size))
    assert [tuple(x.shape[2:]) for x in features] == [
        tuple(-(-side // 8) for side in size)] * 3
