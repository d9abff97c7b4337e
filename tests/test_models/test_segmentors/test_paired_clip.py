"""A second frozen encoder beside CLIP."""
import numpy as np
import pytest
import torch
from mmengine.structures import LabelData
from mmseg.structures import SegDataSample

from mmwsss.registry import MODELS

TINY = dict(embed_dims=64, num_layers=3, num_heads=1,
            feedforward_channels=64)


@pytest.fixture
def model(tmp_path):
    rng = np.random.default_rng(0)
    path = str(tmp_path / 'text.npz')
    np.savez(path, names=['cat', 'dog', 'grass'], model='random', prompt='{}',
             embeddings=rng.normal(size=(3, 24)).astype(np.float32))
    torch.manual_seed(0)
    model = MODELS.build(dict(
        type='PairedCLIPSegmentor',
        backbone=dict(type='CLIPViT', arch=TINY, img_size=64,
                      out_channels=24),
        data_preprocessor=dict(
            type='mmseg.SegDataPreProcessor', mean=[123.675, 116.28, 103.53],
            std=[58.395, 57.12, 57.375], bgr_to_rgb=True),
        decode_head=dict(type='TransformerHead', in_channels=32),
        num_classes=2,
        class_evidence=dict(type='TextGradCAM', text_embeddings=path,
                            background=['grass']),
        spread=dict(threshold=0.4, layers=2),
        fusion=dict(num_levels=2, channels=32),
        second=dict(type='TokenViT', arch=TINY, img_size=28, patch_size=14,
                    layer_scale_init_value=1e-5),
        second_layers=2,
        test_cfg=dict(scales=(1.0, ), flip=False)))
    torch.nn.init.normal_(model.backbone.proj)
    return model


def test_both_encoders_are_frozen_and_seen(model):
    sample = SegDataSample(metainfo=dict(img_shape=(48, 64)))
    sample.set_field(LabelData(label_onehot=torch.tensor([1., 0.])),
                     'gt_label')
    images = torch.randn(1, 3, 48, 64)
    model.train()
    assert not model.second.training and not model.backbone.training
    sum(model.loss(images, [sample]).values()).backward()
    learned = {name.split('.')[0] for name, value in model.named_parameters()
               if value.grad is not None and value.grad.abs().sum()}
    assert {'fusion', 'second_fusion', 'decode_head'} <= learned
    assert not {'backbone', 'second'} & learned
    model.eval()
    with torch.no_grad():
        before = model.decode(model.encode(images))
        model.second.layers[-1].ffn.layers[1].bias += 1e6
        assert not torch.equal(model.decode(model.encode(images)), before)


def test_weights_of_dinov2_have_all_names(model, tmp_path):
    names = {'attn.gamma1.weight': 'ls1.gamma', 'ffn.gamma2.weight':
             'ls2.gamma', 'ffn.layers.0.0': 'mlp.fc1',
             'ffn.layers.1': 'mlp.fc2', 'ln1.': 'norm1.', 'ln2.': 'norm2.'}
    state = {}
    for key, value in model.second.state_dict().items():
        name = key.replace('patch_embed.projection', 'patch_embed.proj')
        if name.startswith('ln1.'):
            name = name.replace('ln1.', 'norm.')
        for ours, theirs in names.items():
            name = name.replace(ours, theirs)
        state[name.replace('layers.', 'blocks.')] = torch.rand_like(value)
    state['mask_token'] = torch.zeros(1, 64)
    path = str(tmp_path / 'dinov2.pth')
    torch.save(state, path)
    model.second.pretrained = path
    model.second.init_weights()
    for index in range(3):
        assert torch.equal(
            model.second.layers[index].ffn.gamma2.weight,
            state[f'blocks.{index}.ls2.gamma'])
