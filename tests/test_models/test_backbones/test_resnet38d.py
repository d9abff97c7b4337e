"""ResNet38d and the networks on it, against the published ones."""
import pytest
import torch
from parity_files import close

from mmwsss.conversion.convert import check_converted, convert
from mmwsss.conversion.layouts import LAYOUTS
from mmwsss.ops import feature_affinity
from mmwsss.ops.pixel_pairs import inner
from mmwsss.ops.random_walk import search_offsets
from mmwsss.registry import MODELS

PREPROCESSOR = dict(type='mmseg.SegDataPreProcessor')


def build(config, file, net, layout):
    """A model of ours with the published weights, without a copy of them."""
    with torch.device('meta'):
        model = MODELS.build(config)
    state, dropped = convert(file.weights(net), layout)
    check_converted(state, model, net, layout.names)
    assert not dropped
    model.load_state_dict(state, assign=True)
    return model.eval()


@torch.no_grad()
def test_classifier_parity(resnet38_file):
    classes = resnet38_file.keys('cls')['fc8.weight'][0]
    model = build(dict(
        type='CAMLocalizer', backbone=dict(type='ResNet38d'),
        data_preprocessor=PREPROCESSOR, num_classes=classes),
        resnet38_file, 'cls', LAYOUTS['resnet38_cls'])
    images = resnet38_file['input']
    close(model.classify(images), resnet38_file['cls/hash/logits'])
    close(model.class_maps(images), resnet38_file['cls/hash/cam'])


@torch.no_grad()
def test_segmentor_parity(resnet38_file):
    model = build(dict(
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


@torch.no_grad()
def test_psa_affinity_parity(resnet38_file):
    model = build(dict(type='PSA', backbone=dict(type='ResNet38d'),
                       data_preprocessor=PREPROCESSOR),
                  resnet38_file, 'aff', LAYOUTS['psa'])
    affinity = feature_affinity(model.features(resnet38_file['input']), 5)
    close(inner(affinity, 5).flatten(2), resnet38_file['aff/hash/aff'])
    # The published pairs start only where all partners are inside.
    height, width = affinity.shape[-2:]
    dense = torch.eye(height * width)
    for (dy, dx), pair in zip(search_offsets(5), affinity[0]):
        for y in range(height - 4):
            for x in range(4, width - 4):
                i, j = y * width + x, (y + dy) * width + x + dx
                dense[i, j] = dense[j, i] = pair[y, x]
    close(dense, resnet38_file['aff/hash/aff_dense'])


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
