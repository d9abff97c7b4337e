"""Published checkpoints in and out: every weight accounted for."""
import argparse
import json
import os
import os.path as osp
import runpy
import struct
import sys

import numpy as np
import pytest
import torch
import torchvision
from parity_files import mctformer_weights, read, toco_weights
from shapes import ROOT

from mmwsss.conversion.layouts import (
    IRN,
    MCTFORMER_PLUS,
    PSA,
    RESNET38_CLS,
    RESNET38_MXNET,
    RESNET38_SEG,
    TOCO,
    convert,
    convert_back,
)
from mmwsss.conversion.mxnet_params import read_mxnet_params
from mmwsss.files.checkpoints import all_weights, read_checkpoint
from mmwsss.models.key_names import VIT_NAMES, backwards, rename
from mmwsss.problems import DataError
from mmwsss.registry import MODELS

ARCH = """dict(_delete_=True, embed_dims={embed}, num_layers={depth},
                  num_heads={heads}, feedforward_channels=4 * {embed})"""


def tool(name, *args):
    """Run a converter as a user does; returns why it stopped, or None."""
    path = osp.join(ROOT, 'tools', 'model_converters', f'{name}_to_mmwsss.py')
    before = sys.argv
    sys.argv = [path, *map(str, args)]
    try:
        runpy.run_path(path, run_name='__main__')
    except SystemExit as stop:
        return stop.code
    finally:
        sys.argv = before


def weights(path):
    return all_weights(read_checkpoint(str(path)))


def assert_equal(got, want):
    assert set(got) == set(want)
    for key, value in want.items():
        assert torch.equal(got[key], value), key


def distinct(shapes):
    """One number for each name, in files of a few bytes a weight."""
    return {key: (torch.tensor(i) if key.endswith('num_batches_tracked')
                  else torch.tensor(float(i))).expand(tuple(shape))
            for i, (key, shape) in enumerate(shapes.items())}


def config(tmp_path, text):
    path = tmp_path / 'config.py'
    path.write_text(text)
    return path


# The published networks, from the parity files


def vit_config(tmp_path, base, arrays, num_classes, size, more=''):
    sizes = json.loads(str(arrays['config']))
    return config(tmp_path, f"""
_base_ = '{ROOT}/configs/{base}.py'
model = dict(
    {more}
    backbone=dict(img_size={sizes[size]}, arch={ARCH.format(**sizes)}))
""".replace('NUM', str(num_classes(sizes))))


@pytest.fixture
def mctformer(test_data, tmp_path):
    arrays = read(test_data('parity', 'mctformer_plus.npz'))
    path = vit_config(tmp_path, 'mctformer_plus_voc', arrays,
                      lambda sizes: sizes['ncls'], 'input')
    text = path.read_text().replace(
        'img_size', f'num_classes={arrays["in/target"].shape[1]}, img_size')
    return config(tmp_path, text), mctformer_weights(arrays)


@pytest.fixture
def toco(test_data, tmp_path):
    arrays = read(test_data('parity', 'toco_model.npz'))
    aux = json.loads(str(arrays['config']))['aux']
    return vit_config(
        tmp_path, 'toco_voc', arrays, lambda sizes: sizes['ncls'] - 1, 'img',
        f'num_classes=NUM, aux_layer={aux},'), toco_weights(arrays)


def test_mctformer_parity_there_and_back(mctformer, tmp_path, capsys):
    path, state = mctformer
    # What cannot come back: a sum, and what its network never reads.
    state['cls_token'] += state.pop('pos_embed_cls')
    state['pos_embed_cls'] = torch.zeros_like(state['cls_token'])
    state['norm.weight'] = torch.ones_like(state['norm.weight'])
    state['norm.bias'] = torch.zeros_like(state['norm.bias'])
    state['pos_embed'] = torch.zeros_like(state['pos_embed'])
    torch.save(dict(model=state), tmp_path / 'published.pth')
    assert tool('mctformer', path, tmp_path / 'published.pth',
                tmp_path / 'ours.pth') is None
    printed = capsys.readouterr().out
    assert ('left out (its network never reads it): norm.bias, norm.weight, '
            'pos_embed\n') in printed
    assert tool('mctformer', path, tmp_path / 'ours.pth',
                tmp_path / 'back.pth', '--reverse') is None
    back = read_checkpoint(str(tmp_path / 'back.pth'))
    assert_equal(back['model'], state)


def test_toco_parity_there_and_back(toco, tmp_path, capsys):
    path, state = toco
    for key in ('encoder.head.weight', 'encoder.head.bias'):
        state[key] = torch.zeros_like(state[key])
    torch.save({f'module.{key}': value for key, value in state.items()},
               tmp_path / 'published.pth')
    assert tool('toco', path, tmp_path / 'published.pth',
                tmp_path / 'ours.pth') is None
    assert ("left out (ImageNet's classifier, which nothing here uses): "
            'encoder.head.bias, encoder.head.weight') in capsys.readouterr(
                ).out
    assert tool('toco', path, tmp_path / 'ours.pth', tmp_path / 'back.pth',
                '--reverse') is None
    assert_equal(read_checkpoint(str(tmp_path / 'back.pth')), state)


RESNET38_CONFIGS = dict(
    aff=("_base_ = '{root}/configs/psa_voc.py'", 'psa', ()),
    cls=("""default_scope = 'mmwsss'
model = dict(type='CAMLocalizer', num_classes={classes},
             backbone=dict(type='ResNet38d', pretrained='none.pth'),
             data_preprocessor=dict(type='mmseg.SegDataPreProcessor'))""",
         'resnet38', ('--network', 'cls')),
    seg=("""default_scope = 'mmwsss'
model = dict(type='mmseg.EncoderDecoder', backbone=dict(type='ResNet38d'),
             data_preprocessor=dict(type='mmseg.SegDataPreProcessor'),
             decode_head=dict(type='DeepLabV1Head', in_channels=4096,
                              in_index=-1, num_classes={classes}))""",
         'resnet38', ('--network', 'seg')))


@pytest.mark.parametrize('net', RESNET38_CONFIGS)
def test_resnet38_parity_there_and_back(resnet38_file, net, tmp_path, capsys):
    shapes = resnet38_file.keys(net)
    classes = list(shapes.values())[-1][0]
    text, name, options = RESNET38_CONFIGS[net]
    path = config(tmp_path, text.format(root=ROOT, classes=classes))
    state = distinct(shapes)
    torch.save(state, tmp_path / 'published.pth')
    assert tool(name, path, tmp_path / 'published.pth', tmp_path / 'ours.pth',
                *options) is None
    assert 'left out' not in capsys.readouterr().out
    assert tool(name, path, tmp_path / 'ours.pth', tmp_path / 'back.pth',
                '--reverse', *options) is None
    assert_equal(weights(tmp_path / 'back.pth'), state)


@pytest.mark.parametrize('net, layout', [
    ('aff', PSA), ('cls', RESNET38_CLS), ('seg', RESNET38_SEG)])
def test_resnet38_parity_of_files_without_counters(resnet38_file, net,
                                                   layout):
    state = distinct({key: shape for key, shape in
                      resnet38_file.keys(net).items()
                      if not key.endswith('num_batches_tracked')})
    ours, dropped = convert(state, layout)
    assert not dropped and len(ours) == len(state)
    assert_equal(convert_back(ours, layout), state)


# MXNet


def mxnet_name(key):
    """How the ImageNet network's file names a weight of PSA's."""
    block, _, rest = key.partition('.')
    kinds = dict(weight='gamma', bias='beta', running_mean='moving_mean',
                 running_var='moving_var')
    if block == 'conv1a':
        return 'arg:conv1a_weight'
    part, _, kind = rest.rpartition('.')
    where = 'aux' if kind.startswith('running') else 'arg'
    if block == 'bn7':
        return f'{where}:bn7_{kinds[kind]}'
    number, _, index = block[1:].partition('_')
    layer = f'{number}b{index}' if index else f'{number}a'
    layer_kind, _, branch = part.partition('_')
    return (f'arg:res{layer}_{branch}_weight' if layer_kind == 'conv' else
            f'{where}:bn{layer}_{branch}_{kinds[kind]}')


def params_file(path, arrays, version, dtype=np.float32, magic=0x112):
    """Write an MXNet file in one of its three formats of arrays."""
    kind = {np.float32: 0, np.float16: 2}[dtype]
    content = [struct.pack('<QQQ', magic, 0, len(arrays))]
    for value in arrays.values():
        value = np.asarray(value, dtype)
        dims = value.shape
        head = {1: b'', 2: struct.pack('<I', 0xF993FAC8),
                3: struct.pack('<Ii', 0xF993FAC9, 0)}[version]
        content += [head, struct.pack('<I', len(dims)),
                    struct.pack(f'<{len(dims)}{"I" if version == 1 else "q"}',
                                *dims),
                    struct.pack('<iii', 1, 0, kind), value.tobytes()]
    content.append(struct.pack('<Q', len(arrays)))
    for name in arrays:
        content += [struct.pack('<Q', len(name)), name.encode()]
    with open(path, 'wb') as file:
        file.write(b''.join(content))
    return str(path)


ARRAYS = {'arg:conv1a_weight': np.arange(24.).reshape(2, 3, 2, 2),
          'aux:bn7_moving_mean': np.array([-1.5, 2, 1 / 3])}


@pytest.mark.parametrize('version', [1, 2, 3])
@pytest.mark.parametrize('dtype', [np.float32, np.float16])
def test_params_of_every_version(tmp_path, version, dtype):
    got = read_mxnet_params(params_file(tmp_path / 'a.params', ARRAYS,
                                        version, dtype))
    assert list(got) == list(ARRAYS)
    for name, value in ARRAYS.items():
        assert np.array_equal(got[name].numpy(), value.astype(dtype))


def damaged(content):
    """Contents that are wrong in one place each."""
    first = struct.calcsize('<QQQ')
    yield 'another magic', b'\x13' + content[1:]
    yield 'no content', b''
    yield 'text', b'no weights at all, but long enough to be read'
    yield 'many arrays', (content[:16] + struct.pack('<Q', 2**62) +
                          content[24:])
    yield 'one array too many', (content[:16] + struct.pack('<Q', 3) +
                                 content[24:])
    yield 'many dimensions', (content[:first + 8] +
                              struct.pack('<I', 2**31) +
                              content[first + 12:])
    yield 'a huge size', (content[:first + 12] + struct.pack('<q', 2**61) +
                          content[first + 20:])
    yield 'a negative size', (content[:first + 12] + struct.pack('<q', -2) +
                              content[first + 20:])
    yield 'sparse', (content[:first + 4] + struct.pack('<i', 1) +
                     content[first + 8:])
    for length in range(1, len(content), 7):
        yield f'ends after {length}', content[:length]


def test_damaged_params_are_named(tmp_path):
    path = params_file(tmp_path / 'whole.params', ARRAYS, 3)
    with open(path, 'rb') as file:
        content = file.read()
    for what, wrong in damaged(content):
        (tmp_path / 'torn.params').write_bytes(wrong)
        try:
            read_mxnet_params(str(tmp_path / 'torn.params'))
        except DataError as error:
            assert 'torn.params' in str(error), what
        else:
            pytest.fail(f'{what}: was read')


@pytest.mark.parametrize('name', ['none.params', ''])
def test_a_params_file_that_is_none_is_named(tmp_path, name):
    with pytest.raises(DataError, match='not a readable MXNet'):
        read_mxnet_params(str(tmp_path / name))


def resnet38_shapes():
    with torch.device('meta'):
        model = MODELS.build(dict(type='ResNet38d'))
    return {key: tuple(value.shape) for key, value in
            model.state_dict().items()
            if not key.endswith('num_batches_tracked')}


def test_mxnet_names_of_the_whole_network():
    state = distinct(resnet38_shapes())
    theirs = {mxnet_name(key): value for key, value in state.items()}
    assert len(theirs) == len(state) and {
        'arg:res2a_branch2a_weight', 'arg:res3b1_branch2a_weight',
        'arg:res6a_branch2b2_weight', 'aux:bn4b5_branch2b1_moving_var',
        'arg:bn7_gamma'} <= set(theirs)
    theirs['arg:linear1000_weight'] = torch.zeros(1000, 4096)
    theirs['arg:linear1000_bias'] = torch.zeros(1000)
    ours, dropped = convert(theirs, RESNET38_MXNET)
    assert_equal(ours, state)
    assert list(dropped) == ['arg:linear1000_bias', 'arg:linear1000_weight']
    for key in state:
        assert rename(key, backwards(RESNET38_MXNET.names)) == mxnet_name(key)


def test_mxnet_file_becomes_pretrained_weights(tmp_path, monkeypatch):
    # The network's names with sizes that do not fill the disk.
    small = {key: (shape[0], *(1 for _ in shape[1:])) for key, shape in
             resnet38_shapes().items()}

    class Small(torch.nn.Module):
        def __init__(self, **kwargs):
            super().__init__()
            for key, shape in small.items():
                owner = self
                *path, last = key.split('.')
                for name in path:
                    if not hasattr(owner, name):
                        owner.add_module(name, torch.nn.Module())
                    owner = getattr(owner, name)
                owner.register_buffer(last, torch.zeros(shape))

    monkeypatch.setitem(MODELS._module_dict, 'ResNet38d', Small)
    state = {key: torch.randn(shape) for key, shape in small.items()}
    source = params_file(
        tmp_path / 'imagenet.params',
        {mxnet_name(key): value.numpy() for key, value in state.items()} |
        {'arg:linear1000_weight': np.zeros((1000, 4)),
         'arg:linear1000_bias': np.zeros(1000)}, 2)
    path = osp.join(ROOT, 'configs', 'psa_voc.py')
    options = ('--network', 'imagenet')
    assert tool('resnet38', path, source, tmp_path / 'ours.pth',
                *options) is None
    assert_equal(weights(tmp_path / 'ours.pth'), state)
    assert tool('resnet38', path, source, tmp_path / 'x.pth', '--reverse',
                *options) == 2
    state.pop('b4_5.bn_branch2b1.running_var')
    source = params_file(
        tmp_path / 'short.params',
        {mxnet_name(key): value.numpy() for key, value in state.items()}, 2)
    assert ('first: aux:bn4b5_branch2b1_moving_var (here '
            'b4_5.bn_branch2b1.running_var) is missing') in tool(
                'resnet38', path, source, tmp_path / 'x.pth', *options)


# IRN


def irn_shapes():
    """Names and shapes of IRN's published network, each weight once."""
    with torch.device('meta'):
        resnet = torchvision.models.resnet50().state_dict()
    stages = {'conv1': 'stage1.0', 'bn1': 'stage1.1', **{
        f'layer{i}': f'stage{i + 1}.0' for i in range(1, 5)}}
    shapes = {}
    for key, value in resnet.items():
        part, _, rest = key.partition('.')
        if part != 'fc':
            shapes[f'{stages[part]}.{rest}'] = tuple(value.shape)
    heads = {f'edge{i}': (c, 32) for i, c in enumerate(
        (64, 256, 512, 1024, 2048), 1)}
    heads.update({f'dp{i}': sizes for i, sizes in enumerate(
        ((64, 64), (256, 128), (512, 256), (1024, 256), (2048, 256),
         (768, 256), (448, 256)), 1)})
    for name, (before, after) in heads.items():
        shapes[f'fc_{name}.0.weight'] = (after, before, 1, 1)
        shapes[f'fc_{name}.1.weight'] = shapes[f'fc_{name}.1.bias'] = (after,)
    shapes.update({'fc_edge6.weight': (1, 160, 1, 1), 'fc_edge6.bias': (1, ),
                   'fc_dp7.3.weight': (2, 256, 1, 1),
                   'mean_shift.running_mean': (2, )})
    return shapes


def irn_aliases(state):
    """The other names under which IRN's files hold the same weights."""
    aliases = {'fc_dp7.4.running_mean': state['mean_shift.running_mean']}
    for key, value in state.items():
        part, _, rest = key.partition('.')
        for start, other in (('stage', 'backbone'), ('fc_edge', 'edge_layers'),
                             ('fc_dp', 'dp_layers')):
            if part.startswith(start):
                index = int(part[len(start):]) - 1
                aliases[f'{other}.{index}.{rest}'] = value
    for key in list(aliases):
        if key.startswith('backbone.'):
            aliases[key.replace('backbone.', 'resnet50.layer')] = aliases[key]
    return aliases


def test_irn_there_and_back(tmp_path, capsys):
    path = osp.join(ROOT, 'configs', 'irn_voc.py')
    state = distinct(irn_shapes())
    published = dict(
        state, **irn_aliases(state),
        **{f'path_indices{i}': torch.zeros(2, 2, 3, dtype=torch.int64)
           for i in range(20)}, disp_target=torch.zeros(1, 2, 152, 1))
    torch.save(published, tmp_path / 'published.pth')
    assert tool('irn', path, tmp_path / 'published.pth',
                tmp_path / 'ours.pth') is None
    printed = capsys.readouterr().out
    assert 'path_indices0' in printed and 'under another name' in printed
    assert tool('irn', path, tmp_path / 'ours.pth', tmp_path / 'back.pth',
                '--reverse') is None
    assert_equal(weights(tmp_path / 'back.pth'), state)


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
    ours, _ = convert(state, IRN)
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


# Weights of ViTs


def vit_shapes(embed=32, depth=2, side=3, patch=8, classes=10):
    shapes = {'cls_token': (1, 1, embed),
              'pos_embed': (1, 1 + side * side, embed),
              'patch_embed.proj.weight': (embed, 3, patch, patch),
              'patch_embed.proj.bias': (embed, )}
    for i in range(depth):
        for name, size in (('norm1', (embed, )), ('norm2', (embed, )),
                           ('attn.qkv', (3 * embed, embed)),
                           ('attn.proj', (embed, embed)),
                           ('mlp.fc1', (4 * embed, embed)),
                           ('mlp.fc2', (embed, 4 * embed))):
            shapes[f'blocks.{i}.{name}.weight'] = size
            shapes[f'blocks.{i}.{name}.bias'] = size[:1]
    return dict(shapes, **{'norm.weight': (embed, ), 'norm.bias': (embed, ),
                           'head.weight': (classes, embed),
                           'head.bias': (classes, )})


def dino(state):
    body = {f'backbone.{key}': value for key, value in state.items()
            if not key.startswith('head.')}
    return dict(student={f'module.{k}': v for k, v in body.items()},
                teacher=dict(body, **{'head.mlp.0.weight': torch.ones(2, 2)}),
                epoch=3, args=argparse.Namespace(arch='vit_small', lr=0.1))


VIT_FILES = dict(
    dino=[dino, lambda s: {key: value for key, value in s.items()
                           if not key.startswith('head.')}],
    deit=[lambda s: dict(model=s)],
    timm=[lambda s: s, lambda s: dict(
        s, **{'pre_logits.fc.weight': torch.ones(2, 2)})])

VIT_CONFIG = """
_base_ = '{root}/configs/{base}.py'
model = dict(backbone=dict({inside}patch_size=8, img_size={size},
    arch=dict(_delete_=True, embed_dims=32, num_layers=2, num_heads=2,
              feedforward_channels=128)){close})
"""


def small_vit_config(tmp_path, base='mmct_deit-tiny_voc', size=40):
    inside, close = (('vit=dict(', ')') if base.startswith('psa') else
                     ('', ''))
    return config(tmp_path, VIT_CONFIG.format(
        root=ROOT, base=base, size=size, inside=inside, close=close))


@pytest.mark.parametrize('base', ['mmct_deit-tiny_voc', 'psa_deit-tiny_voc',
                                  'largefov_deit-tiny_voc'])
@pytest.mark.parametrize('kind', VIT_FILES)
def test_vit_weights_load_into_a_backbone(tmp_path, kind, base):
    generator = torch.Generator().manual_seed(0)
    state = {key: torch.randn(shape, generator=generator)
             for key, shape in vit_shapes().items()}
    path = small_vit_config(tmp_path, base)
    for wrap in VIT_FILES[kind]:
        torch.save(wrap(state), tmp_path / 'published.pth')
        ours = str(tmp_path / 'ours.pth')
        assert tool(kind, path, tmp_path / 'published.pth', ours) is None
        want = {rename(key, VIT_NAMES): value for key, value in state.items()
                if not key.startswith('head.')}
        assert_equal(weights(ours), want)
        for name in ('TokenViT', 'ClassTokenViT'):
            extra = dict(num_classes=4) if name == 'ClassTokenViT' else {}
            vit = MODELS.build(dict(
                type=name, img_size=40, patch_size=8, pretrained=ours,
                arch=dict(embed_dims=32, num_layers=2, num_heads=2,
                          feedforward_channels=128), **extra))
            vit.init_weights()
            assert torch.equal(vit.layers[1].ffn.layers[1].weight,
                               state['blocks.1.mlp.fc2.weight'])
            assert vit.pos_embed.shape[1] in (25, 26)


@pytest.mark.parametrize('kind', VIT_FILES)
def test_distilled_vits_are_refused(tmp_path, kind):
    state = distinct(dict(vit_shapes(), dist_token=(1, 1, 32),
                          pos_embed=(1, 11, 32)))
    torch.save(state, tmp_path / 'distilled.pth')
    message = tool(kind, small_vit_config(tmp_path),
                   tmp_path / 'distilled.pth', tmp_path / 'x.pth')
    assert 'distilled.pth has a dist_token: a distilled DeiT' in message
    assert '\n' not in message and not osp.exists(tmp_path / 'x.pth')


def test_a_backbone_that_is_no_vit_is_named(tmp_path):
    torch.save(distinct(vit_shapes()), tmp_path / 'vit.pth')
    assert 'its backbone ResNet38d is no ViT' in tool(
        'timm', osp.join(ROOT, 'configs', 'psa_voc.py'), tmp_path / 'vit.pth',
        tmp_path / 'x.pth')


# Mistakes


def drop(state, key):
    return {k: v for k, v in state.items() if k != key}


@pytest.mark.parametrize('change, message', [
    (lambda s: drop(s, 'blocks.1.norm1.bias'),
     '1 differences, first: blocks.1.norm1.bias (here layers.1.ln1.bias) is '
     'missing'),
    (lambda s: drop(s, 'pos_embed'), 'first: pos_embed is missing'),
    (lambda s: dict(s, **{'blocks.1.ls1.gamma': torch.ones(32)}),
     'first: blocks.1.ls1.gamma is left over'),
    (lambda s: dict(s, **{'norm.bias': torch.ones(7)}),
     'first: norm.bias (here ln1.bias) is (7,), the config needs (32,)'),
    (lambda s: dict(s, pos_embed=torch.ones(1, 12, 32)),
     'first: pos_embed is (1, 12, 32), the config needs (1, 10, 32)'),
    (lambda s: dict(s, **{'ln1.bias': torch.ones(32)}),
     'norm.bias and ln1.bias are the same weight'),
    (lambda s: {}, 'first: cls_token is missing')])
def test_wrong_weights_are_named(tmp_path, change, message):
    torch.save(change(distinct(vit_shapes())), tmp_path / 'wrong.pth')
    stopped = tool('timm', small_vit_config(tmp_path), tmp_path / 'wrong.pth',
                   tmp_path / 'x.pth')
    assert 'wrong.pth' in stopped and message in stopped
    assert '\n' not in stopped and not osp.exists(tmp_path / 'x.pth')


@pytest.mark.parametrize('key', ['pos_embed_cls', 'cls_token', 'head.bias'])
def test_a_missing_weight_of_mctformer_parity_file_is_named(mctformer, key,
                                                            tmp_path):
    path, state = mctformer
    torch.save(dict(model=drop(state, key)), tmp_path / 'short.pth')
    stopped = tool('mctformer', path, tmp_path / 'short.pth',
                   tmp_path / 'x.pth')
    assert f'{key} ' in stopped and 'is missing' in stopped


def test_what_the_published_network_lacks_is_named_parity(mctformer):
    _, state = mctformer
    ours, _ = convert(state, MCTFORMER_PLUS)
    ours['textual_tokens.mlp.0.weight'] = torch.zeros(2, 2)
    with pytest.raises(DataError, match='first: textual_tokens.mlp.0.weight'):
        convert_back(ours, MCTFORMER_PLUS, 'mmct.pth')


def test_reverse_wants_weights_of_the_config(tmp_path):
    torch.save(distinct(irn_shapes()), tmp_path / 'theirs.pth')
    stopped = tool('irn', osp.join(ROOT, 'configs', 'irn_voc.py'),
                   tmp_path / 'theirs.pth', tmp_path / 'x.pth', '--reverse')
    assert 'first: displacement_mean is missing' in stopped
    assert '\n' not in stopped and not osp.exists(tmp_path / 'x.pth')


class Malicious:
    def __reduce__(self):
        return os.system, ('touch converter_ran_code', )


@pytest.mark.parametrize('name', ['mctformer', 'toco', 'irn', 'psa', 'dino',
                                  'deit', 'timm', 'resnet38'])
def test_no_file_runs_code_or_ends_in_a_trace(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = osp.join(ROOT, 'configs', 'psa_voc.py')
    options = ('--network', 'cls') if name == 'resnet38' else ()
    torch.save(dict(model=Malicious()), 'bad.pth')
    (tmp_path / 'text.pth').write_text('no checkpoint')
    torch.save([torch.ones(1)], 'list.pth')
    for source, message in (('bad.pth', 'asks to run code'),
                            ('text.pth', 'not a readable weights file'),
                            ('list.pth', 'expected a dict of tensors'),
                            ('none.pth', 'no such file')):
        stopped = tool(name, path, source, 'x.pth', *options)
        assert source in stopped and message in stopped
        assert '\n' not in stopped
    assert not osp.exists('converter_ran_code') and not osp.exists('x.pth')
    assert 'is a folder' in tool(name, path, 'bad.pth', str(tmp_path),
                                 *options)


def test_every_name_has_one_place():
    for layout in (TOCO, MCTFORMER_PLUS, IRN, PSA, RESNET38_CLS,
                   RESNET38_SEG, RESNET38_MXNET):
        theirs, ours = zip(*layout.names)
        assert len(set(theirs)) == len(theirs)
        assert len(set(ours)) == len(ours)
