"""Weights that a training starts from: every layout, any grid."""
import pytest
import torch

from mmwsss.files.checkpoints import read_checkpoint
from mmwsss.problems import DataError
from mmwsss.registry import MODELS

ARCH = dict(embed_dims=32, num_layers=2, num_heads=2, feedforward_channels=64)
NAMES = (('ffn.layers.0.0', 'mlp.fc1'), ('ffn.layers.1', 'mlp.fc2'),
         ('layers', 'blocks'), ('ln1', 'norm1'), ('ln2', 'norm2'),
         ('projection', 'proj'))


def vit(**kwargs):
    model = MODELS.build(dict(type='TokenViT', arch=ARCH, img_size=32,
                              **kwargs))
    model.init_weights()
    return model


def timm_layout(model):
    state = {}
    for key, value in model.state_dict().items():
        if key.startswith('ln1.'):
            key = key.replace('ln1.', 'norm.')
        for ours, theirs in NAMES:
            key = key.replace(ours, theirs)
        state[key] = value
    return dict(state, **{'head.weight': torch.zeros(10, 32)})


WRAPPERS = dict(
    timm=lambda s: s,
    deit=lambda s: dict(model=s),
    dino=lambda s: dict(
        student={}, teacher={f'backbone.{k}': v for k, v in s.items()}),
    dino_ddp=lambda s: dict(
        teacher={f'module.backbone.{k}': v for k, v in s.items()}))


@pytest.mark.parametrize('layout', WRAPPERS)
def test_layouts(tmp_path, layout):
    source = vit()
    path = str(tmp_path / 'weights.pth')
    torch.save(WRAPPERS[layout](timm_layout(source)), path)
    loaded = vit(pretrained=path)
    for key, value in source.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value), key
    images = torch.randn(1, 3, 32, 48)
    loaded.eval(), source.eval()
    assert torch.equal(loaded(images)[0], source(images)[0])


def test_position_embeddings_fit_another_grid(tmp_path):
    path = str(tmp_path / 'weights.pth')
    torch.save(timm_layout(vit()), path)
    model = MODELS.build(dict(type='ClassTokenViT', num_classes=3, arch=ARCH,
                              img_size=64, pretrained=path))
    model.init_weights()
    assert model.pos_embed.shape == (1, 16, 32)
    assert model.visual_tokens.std() > 0


def test_half_precision_weights_become_float(tmp_path):
    path = str(tmp_path / 'weights.pth')
    torch.save({k: v.half() for k, v in timm_layout(vit()).items()}, path)
    assert vit(pretrained=path).pos_embed.dtype == torch.float32


def test_published_deit_tiny_loads(test_data):
    path = test_data('weights', 'deit_tiny_in1k_fp16.pth')
    model = MODELS.build(dict(type='ClassTokenViT', num_classes=20,
                              arch='deit-tiny', pretrained=path))
    model.init_weights()
    stored = read_checkpoint(path)['model']
    assert torch.equal(model.layers[7].attn.qkv.weight,
                       stored['blocks.7.attn.qkv.weight'].float())


def test_weights_of_another_size(tmp_path):
    path = str(tmp_path / 'weights.pth')
    torch.save(timm_layout(vit()), path)
    model = MODELS.build(dict(
        type='TokenViT', pretrained=path, img_size=32,
        arch=dict(ARCH, embed_dims=48, feedforward_channels=96)))
    with pytest.raises(DataError, match='the model needs'):
        model.init_weights()


def test_file_without_vit_weights(tmp_path):
    path = str(tmp_path / 'weights.pth')
    torch.save({'conv1.weight': torch.zeros(3)}, path)
    with pytest.raises(DataError, match='not in it.*Known layouts'):
        vit(pretrained=path)


@pytest.mark.parametrize('wrong, message', [
    (torch.zeros(5), 'pos_embed has shape .5,., not'),
    (torch.tensor(1.), 'pos_embed has shape .., not'),
    (torch.zeros(1, 0, 32), 'pos_embed has shape .1, 0, 32., not'),
    (torch.zeros(1, 5, 32, dtype=torch.complex64),
     'pos_embed holds complex numbers')])
def test_position_embeddings_of_another_kind(tmp_path, wrong, message):
    path = str(tmp_path / 'weights.pth')
    torch.save(dict(timm_layout(vit()), pos_embed=wrong), path)
    with pytest.raises(DataError, match=f'weights.pth: {message}'):
        vit(pretrained=path)
