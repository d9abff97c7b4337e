"""A small CLIP, and what the tests of CLIP embeddings have in common.

The encoders are checked on small random weights against a plain CLIP that is
written here with torch's own modules.
"""
import os
import os.path as osp
from collections import OrderedDict

import pytest
import torch
from torch import nn

from mmwsss.problems import DataError

WIDTH, OUTPUT, PATCH, SIZE = 64, 24, 8, 32


class QuickGELU(nn.Module):

    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    """A pre-norm transformer layer under OpenAI's names."""

    def __init__(self, width):
        super().__init__()
        self.attn = nn.MultiheadAttention(width, width // 64,
                                          batch_first=True)
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mlp = nn.Sequential(OrderedDict(
            c_fc=nn.Linear(width, 4 * width), act=QuickGELU(),
            c_proj=nn.Linear(4 * width, width)))

    def forward(self, x, mask=None):
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False, attn_mask=mask)[0]
        return x + self.mlp(self.ln_2(x))


class Layers(nn.Module):

    def __init__(self, width, depth):
        super().__init__()
        self.resblocks = nn.ModuleList(Block(width) for _ in range(depth))

    def forward(self, x, mask=None):
        for block in self.resblocks:
            x = block(x, mask)
        return x


class PlainViT(nn.Module):

    def __init__(self):
        super().__init__()
        self.class_embedding = nn.Parameter(torch.empty(2 * WIDTH))
        self.positional_embedding = nn.Parameter(
            torch.empty((SIZE // PATCH)**2 + 1, 2 * WIDTH))
        self.conv1 = nn.Conv2d(3, 2 * WIDTH, PATCH, PATCH, bias=False)
        self.ln_pre = nn.LayerNorm(2 * WIDTH)
        self.transformer = Layers(2 * WIDTH, 3)
        self.ln_post = nn.LayerNorm(2 * WIDTH)
        self.proj = nn.Parameter(torch.empty(2 * WIDTH, OUTPUT))

    def forward(self, x):
        x = self.conv1(x).flatten(2).transpose(1, 2)
        cls = self.class_embedding.expand(len(x), 1, -1)
        x = torch.cat([cls, x], dim=1) + self.positional_embedding
        x = self.transformer(self.ln_pre(x))
        return self.ln_post(x[:, 0]) @ self.proj


class PlainCLIP(nn.Module):
    """A small CLIP whose state dict has OpenAI's layout."""

    def __init__(self, context=77):
        super().__init__()
        self.token_embedding = nn.Embedding(49408, WIDTH)
        self.positional_embedding = nn.Parameter(torch.empty(context, WIDTH))
        self.transformer = Layers(WIDTH, 2)
        self.ln_final = nn.LayerNorm(WIDTH)
        self.text_projection = nn.Parameter(torch.empty(WIDTH, OUTPUT))
        self.logit_scale = nn.Parameter(torch.tensor(4.6))
        self.visual = PlainViT()
        generator = torch.Generator().manual_seed(0)
        for name, value in self.named_parameters():
            if value.dim():
                noise = torch.randn(value.shape, generator=generator)
                is_norm = 'ln_' in name and name.endswith('weight')
                value.data = 0.1 * noise + is_norm
        self.eval()

    def encode_text(self, tokens):
        length = tokens.shape[1]
        mask = torch.ones(length, length, dtype=torch.bool).triu(1)
        x = self.token_embedding(tokens) + self.positional_embedding
        x = self.ln_final(self.transformer(x, mask))
        ends = (tokens == 49407).int().argmax(dim=1)
        return torch.stack([row[end] for row, end in zip(x, ends)]
                           ) @ self.text_projection


def openai(state):
    """OpenAI's files also hold three plain numbers."""
    return {**state, 'context_length': torch.tensor(77)}


def open_clip(state):
    """open_clip's training saves the module in a wrapper, with its state."""
    return {'epoch': 1, 'state_dict': {f'module.{key}': value
                                       for key, value in state.items()}}


def mmseg(state):
    """The text encoder of mmseg's SAN."""
    names = (('transformer.resblocks.', 'transformer.'),
             ('.attn.', '.attentions.0.attn.'), ('.ln_1.', '.norms.0.'),
             ('.ln_2.', '.norms.1.'), ('.mlp.c_fc.', '.ffns.0.layers.0.0.'),
             ('.mlp.c_proj.', '.ffns.0.layers.1.'))
    return {'state_dict': {
        'text_encoder.' + renamed(key, names): value
        for key, value in state.items() if not key.startswith('visual.')}}


def hugging_face(state):
    """Hugging Face's CLIPModel."""
    names = (('visual.', ''), ('transformer.resblocks.', 'encoder.layers.'),
             ('attn.out_proj', 'self_attn.out_proj'),
             ('ln_1', 'layer_norm1'), ('ln_2', 'layer_norm2'),
             ('mlp.c_fc', 'mlp.fc1'), ('mlp.c_proj', 'mlp.fc2'),
             ('token_embedding', 'embeddings.token_embedding'),
             ('class_embedding', 'embeddings.class_embedding'),
             ('positional_embedding', 'embeddings.position_embedding.weight'),
             ('conv1', 'embeddings.patch_embedding'),
             ('ln_pre', 'pre_layrnorm'), ('ln_post', 'post_layernorm'),
             ('ln_final', 'final_layer_norm'))
    result = {}
    for key, value in state.items():
        part = 'vision_model' if 'visual' in key else 'text_model'
        name = f'{part}.{renamed(key, names)}'
        if key == 'text_projection':
            result['text_projection.weight'] = value.t()
        elif key == 'visual.proj':
            result['visual_projection.weight'] = value.t()
        elif 'in_proj' in key:
            base, kind = name.split('attn.in_proj_')
            for letter, third in zip('qkv', value.chunk(3)):
                result[f'{base}self_attn.{letter}_proj.{kind}'] = (
                    third.clone())
        else:
            result[name] = value
    return {'state_dict': result}


def renamed(key, names):
    for old, new in names:
        key = key.replace(old, new)
    return key


class Evil:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (self.folder, )


def check_bad_weights_are_refused(extract, clip, tmp_path, monkeypatch):
    """``extract(out, weights)`` refuses unsafe and wrong weights."""
    path, out = tmp_path / 'weights.pth', tmp_path / 'out.npz'
    marker = str(tmp_path / 'ran')

    def error():
        with pytest.raises((DataError, FileNotFoundError)) as info:
            extract(out, path)
        assert str(path) in one_line(info)
        assert not out.exists()
        return str(info.value)

    assert 'no such file' in error()

    torch.save({**clip.state_dict(), 'evil': Evil(marker)}, path)
    assert 'run code' in error()
    assert not osp.exists(marker)

    def load(*args, **kwargs):
        raise AssertionError('a program was loaded')

    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), path)
    monkeypatch.setattr(torch.jit, 'load', load)
    message = error()
    assert 'TorchScript' in message and 'torch.save(torch.jit.load(' in message
    # The second line of defence: torch's own refusal.
    monkeypatch.setattr('mmwsss.models.clip_weights._is_torchscript',
                        lambda _: False)
    assert 'torch.save(torch.jit.load(' in error()

    torch.save({'blocks.0.attn.qkv.weight': torch.zeros(2, 2)}, path)
    message = error()
    assert 'is missing' in message and 'Known layouts' in message

    state = clip.state_dict()
    for part in ('', 'visual.'):
        del state[f'{part}transformer.resblocks.1.ln_1.weight']
    torch.save(state, path)
    assert '1' in error() and 'missing' in error()


def one_line(info):
    text = str(info.value)
    assert '\n' not in text
    return text
