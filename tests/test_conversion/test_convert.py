"""Published checkpoints in and out: every weight accounted for."""
import argparse
import json
import os
import os.path as osp
import runpy
import sys
from collections import OrderedDict

import numpy as np
import pytest
import torch
from clip_nets import CLIPFile, shapes_config
from mmengine.registry import DefaultScope
from parity_files import mctformer_weights, read, toco_weights
from published_files import (
    assert_equal,
    distinct,
    irn_aliases,
    irn_shapes,
    mxnet_name,
    params_file,
    resnet38_shapes,
    vit_shapes,
)
from shapes import ROOT

from mmwsss.conversion import LAYOUTS, convert_weights
from mmwsss.conversion.convert import convert, convert_back
from mmwsss.conversion.layouts import read_weights
from mmwsss.files.checkpoints import read_checkpoint
from mmwsss.models.key_names import VIT_NAMES, rename
from mmwsss.problems import ConfigError, DataError
from mmwsss.registry import MODELS

ARCH = """dict(_delete_=True, embed_dims={embed}, num_layers={depth},
                  num_heads={heads}, feedforward_channels=4 * {embed})"""


def tool(layout, cfg, source, target, *options):
    """Run the tool as a user does; returns why it stopped, or None."""
    path = osp.join(ROOT, 'tools', 'convert_weights.py')
    if cfg is not None:
        options = ('--config', cfg, *options)
    before = sys.argv
    sys.argv = [path, *map(str, (layout, source, target, *options))]
    try:
        runpy.run_path(path, run_name='__main__')
    except SystemExit as stop:
        return stop.code
    finally:
        sys.argv = before


def weights(path):
    return read_weights(str(path))


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
    assert tool('mctformer_plus', path, tmp_path / 'published.pth',
                tmp_path / 'ours.pth') is None
    printed = capsys.readouterr().out
    assert ('left out (its network never reads it): norm.bias, norm.weight, '
            'pos_embed\n') in printed
    assert tool('mctformer_plus', path, tmp_path / 'ours.pth',
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


@pytest.mark.parametrize('name, source', [('weclip', 'weclip_decoder.npz'),
                                          ('excel', 'excel_maps.npz')])
def test_decoders_on_clip_parity_there_and_back(
        test_data, name, source, shapes, weights, tmp_path, capsys):
    """The decoder is the checkpoint's; CLIP and the texts the config's."""
    file = CLIPFile(test_data('parity', source))
    decoder = file.weights('decoder')
    path = shapes_config(f'{name}_voc', tmp_path, shapes, weights)
    # The sizes of the parity file's decoder.
    levels = 1 + max(int(key.split('.')[2]) for key in decoder
                     if 'linears_modulelist' in key)
    layers = 1 + max(int(key.split('.')[3]) for key in decoder
                     if 'resblocks' in key)
    first = decoder['decoder_fts_fuse.linears_modulelist.0.proj.weight']
    classes = len(decoder['decoder.linear_pred.weight'])
    options = ['--cfg-options', f'model.fusion.num_levels={levels}',
               f'model.fusion.channels={len(first)}',
               f'model.fusion.in_channels={first.shape[1]}',
               f'model.decode_head.in_channels={len(first)}',
               f'model.decode_head.num_layers={layers}',
               f'model.decode_head.num_classes={classes}']
    published = {f'module.{key}': value for key, value in {
        **decoder, 'encoder.visual.proj': torch.zeros(2, 2),
        'encoder.token_embedding.weight': torch.zeros(2, 2)}.items()}
    torch.save(published, tmp_path / 'published.pth')
    assert tool(name, path, tmp_path / 'published.pth', tmp_path / 'ours.pth',
                *options) is None
    assert ("left out (CLIP's frozen weights: they come from the config's "
            'pretrained): encoder.') in capsys.readouterr().out
    ours = read_checkpoint(str(tmp_path / 'ours.pth'))['state_dict']
    clip = torch.load(weights)
    assert torch.equal(ours['backbone.proj'], clip['visual.proj'])
    assert ours['class_evidence.text'].norm(dim=1).allclose(torch.ones(4))
    assert tool(name, path, tmp_path / 'ours.pth', tmp_path / 'back.pth',
                *options, '--reverse') is None
    assert_equal(read_checkpoint(str(tmp_path / 'back.pth')), decoder)
    # Without CLIP's weights there is nothing to stand on.
    stopped = tool(name, path, tmp_path / 'published.pth', tmp_path / 'x.pth',
                   *options, 'model.backbone.pretrained=')
    assert 'model.backbone.pretrained names no weights' in stopped
    assert '\n' not in stopped


RESNET38_CONFIGS = dict(
    aff=("_base_ = '{root}/configs/psa_voc.py'", 'psa'),
    cls=("""default_scope = 'mmwsss'
model = dict(type='CAMLocalizer', num_classes={classes},
             backbone=dict(type='ResNet38d', pretrained='none.pth'),
             data_preprocessor=dict(type='mmseg.SegDataPreProcessor'))""",
         'resnet38_cls'),
    seg=("""default_scope = 'mmwsss'
model = dict(type='mmseg.EncoderDecoder', backbone=dict(type='ResNet38d'),
             data_preprocessor=dict(type='mmseg.SegDataPreProcessor'),
             decode_head=dict(type='DeepLabV1Head', in_channels=4096,
                              in_index=-1, num_classes={classes}))""",
         'resnet38_seg'))


@pytest.mark.parametrize('net', RESNET38_CONFIGS)
def test_resnet38_parity_there_and_back(resnet38_file, net, tmp_path, capsys):
    shapes = resnet38_file.keys(net)
    classes = list(shapes.values())[-1][0]
    text, name = RESNET38_CONFIGS[net]
    path = config(tmp_path, text.format(root=ROOT, classes=classes))
    state = distinct(shapes)
    torch.save(state, tmp_path / 'published.pth')
    assert tool(name, path, tmp_path / 'published.pth', tmp_path / 'ours.pth'
                ) is None
    assert 'left out' not in capsys.readouterr().out
    assert tool(name, path, tmp_path / 'ours.pth', tmp_path / 'back.pth',
                '--reverse') is None
    assert_equal(weights(tmp_path / 'back.pth'), state)


@pytest.mark.parametrize('net, layout', [
    ('aff', 'psa'), ('cls', 'resnet38_cls'), ('seg', 'resnet38_seg')])
def test_resnet38_parity_of_files_without_counters(resnet38_file, net,
                                                   layout):
    state = distinct({key: shape for key, shape in
                      resnet38_file.keys(net).items()
                      if not key.endswith('num_batches_tracked')})
    layout = LAYOUTS[layout]
    ours, dropped = convert(state, layout)
    assert not dropped and len(ours) == len(state)
    assert_equal(convert_back(ours, layout), state)


# MXNet


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
    assert tool('resnet38_imagenet', path, source, tmp_path / 'ours.pth'
                ) is None
    assert_equal(weights(tmp_path / 'ours.pth'), state)
    state.pop('b4_5.bn_branch2b1.running_var')
    source = params_file(
        tmp_path / 'short.params',
        {mxnet_name(key): value.numpy() for key, value in state.items()}, 2)
    assert ('first: aux:bn4b5_branch2b1_moving_var (here '
            'b4_5.bn_branch2b1.running_var) is missing') in tool(
                'resnet38_imagenet', path, source, tmp_path / 'x.pth')


# IRN


def test_irn_there_and_back(tmp_path, capsys):
    state = distinct(irn_shapes())
    published = dict(
        state, **irn_aliases(state),
        **{f'path_indices{i}': torch.zeros(2, 2, 3, dtype=torch.int64)
           for i in range(20)}, disp_target=torch.zeros(1, 2, 152, 1))
    torch.save(published, tmp_path / 'published.pth')
    assert tool('irn', None, tmp_path / 'published.pth',
                tmp_path / 'ours.pth') is None
    printed = capsys.readouterr().out
    assert 'path_indices0' in printed and 'under another name' in printed
    assert tool('irn', None, tmp_path / 'ours.pth', tmp_path / 'back.pth',
                '--reverse') is None
    assert_equal(weights(tmp_path / 'back.pth'), state)


# Weights of ViTs


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


def test_options_change_the_network(tmp_path):
    torch.save(distinct(vit_shapes(depth=1)), tmp_path / 'one.pth')
    files = tmp_path / 'one.pth', tmp_path / 'ours.pth'
    path = small_vit_config(tmp_path)
    assert 'layers.1.' in tool('timm', path, *files)
    assert tool('timm', path, *files, '--cfg-options',
                'model.backbone.arch.num_layers=1') is None


# Mistakes


def drop(state, key):
    return {k: v for k, v in state.items() if k != key}


@pytest.mark.parametrize('change, message', [
    (lambda s: drop(s, 'blocks.1.norm1.bias'),
     '1 differences, first: blocks.1.norm1.bias (here layers.1.ln1.bias) is '
     'missing'),
    (lambda s: drop(s, 'pos_embed'), 'first: pos_embed is missing'),
    (lambda s: dict(s, **{'blocks.1.ls1.gamma': torch.ones(32)}),
     'first: blocks.1.ls1.gamma (here layers.1.attn.gamma1.weight) is left '
     'over'),
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
    stopped = tool('mctformer_plus', path, tmp_path / 'short.pth',
                   tmp_path / 'x.pth')
    assert f'{key} ' in stopped and 'is missing' in stopped


def test_what_the_published_network_lacks_is_named_parity(mctformer):
    _, state = mctformer
    ours, _ = convert(state, LAYOUTS['mctformer_plus'])
    ours['textual_tokens.mlp.0.weight'] = torch.zeros(2, 2)
    with pytest.raises(DataError, match='first: textual_tokens.mlp.0.weight'):
        convert_back(ours, LAYOUTS['mctformer_plus'], 'mmct.pth')


def test_reverse_wants_weights_of_the_config(tmp_path):
    torch.save(distinct(irn_shapes()), tmp_path / 'theirs.pth')
    stopped = tool('irn', osp.join(ROOT, 'configs', 'irn_voc.py'),
                   tmp_path / 'theirs.pth', tmp_path / 'x.pth', '--reverse')
    assert 'first: displacement_mean is missing' in stopped
    assert '\n' not in stopped and not osp.exists(tmp_path / 'x.pth')


class Malicious:
    def __reduce__(self):
        return os.system, ('touch converter_ran_code', )


@pytest.mark.parametrize('name', [
    name for name in LAYOUTS if LAYOUTS[name].read is read_weights])
def test_no_file_runs_code_or_ends_in_a_trace(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = osp.join(ROOT, 'configs', 'psa_voc.py')
    torch.save(dict(model=Malicious()), 'bad.pth')
    (tmp_path / 'text.pth').write_text('no checkpoint')
    torch.save([torch.ones(1)], 'list.pth')
    for source, message in (('bad.pth', 'asks to run code'),
                            ('text.pth', 'no weights file (it holds text)'),
                            ('list.pth', 'expected a dict of tensors'),
                            ('none.pth', 'no such file')):
        stopped = tool(name, path, source, 'x.pth')
        assert source in stopped and message in stopped
        assert '\n' not in stopped
    assert not osp.exists('converter_ran_code') and not osp.exists('x.pth')
    assert 'is a folder' in tool(name, path, 'bad.pth', str(tmp_path))


@pytest.mark.parametrize('name', LAYOUTS)
def test_a_missing_file_ends_the_tool_in_one_line(name, tmp_path):
    source = str(tmp_path / 'none.file')
    stopped = tool(name, None, source, tmp_path / 'x.pth')
    assert stopped.startswith('error: ') and source in stopped
    assert 'no such file' in stopped.lower() and '\n' not in stopped
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize('name', ['resnet38_imagenet', *VIT_FILES])
def test_reverse_without_a_writer_is_refused(name, tmp_path):
    torch.save({}, tmp_path / 'ours.pth')
    stopped = tool(name, None, tmp_path / 'ours.pth', tmp_path / 'x.pth',
                   '--reverse')
    assert f'--reverse: layout {name} has no writer' in stopped
    assert 'resnet38_cls' in stopped and '\n' not in stopped
    assert not osp.exists(tmp_path / 'x.pth')


def test_an_unknown_layout_is_named(tmp_path):
    message = "unknown layout 'toko' (did you mean 'toco'?)"
    for cfg in (None, osp.join(ROOT, 'configs', 'toco_voc.py')):
        assert tool('toko', cfg, 'a.pth', tmp_path / 'x.pth') == (
            f'error: {message}')
    with pytest.raises(ConfigError) as caught:
        convert_weights('toko', 'a.pth', str(tmp_path / 'x.pth'))
    assert str(caught.value) == message


def test_without_a_config_the_usual_one_counts(tmp_path, monkeypatch):
    # A program of its own: nothing has set a default scope yet.
    monkeypatch.setattr(DefaultScope, '_instance_dict', OrderedDict())
    torch.save({}, tmp_path / 'none.pth')
    config_file = osp.join(ROOT, 'configs', 'deeplabv1_r38d_voc.py')
    with torch.device('meta'), pytest.raises(DataError) as caught:
        convert_weights('resnet38_seg', str(tmp_path / 'none.pth'),
                        str(tmp_path / 'x.pth'))
    assert (f'none.pth does not fit {config_file}: ' in str(caught.value) and
            'is missing' in str(caught.value))


def test_list_shows_a_line_for_each_layout(capsys):
    assert tool('--list', None, '', '') == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(LAYOUTS)
    for line, layout in zip(lines, LAYOUTS.values()):
        assert layout.summary in line and layout.config in line
