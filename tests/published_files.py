"""Published checkpoints in small: names, shapes and files."""
import struct

import numpy as np
import torch
import torchvision

from mmwsss.registry import MODELS


def assert_equal(got, want):
    assert set(got) == set(want)
    for key, value in want.items():
        assert torch.equal(got[key], value), key


def distinct(shapes):
    """One number for each name, in files of a few bytes a weight."""
    return {key: (torch.tensor(i) if key.endswith('num_batches_tracked')
                  else torch.tensor(float(i))).expand(tuple(shape))
            for i, (key, shape) in enumerate(shapes.items())}


def resnet38_shapes():
    with torch.device('meta'):
        model = MODELS.build(dict(type='ResNet38d'))
    return {key: tuple(value.shape) for key, value in
            model.state_dict().items()
            if not key.endswith('num_batches_tracked')}


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
