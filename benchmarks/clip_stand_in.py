#!/usr/bin/env python
"""Pour a DeiT into CLIP's layout, to run CLIP's methods without CLIP.

For plumbing, memory and speed: the network has CLIP's size and layout, and
what it calls text is a linear probe on the photos' image-level labels. Its
maps say nothing about what CLIP's would be.

CLIP has no bias at its patches, which goes into the position embeddings, and
a norm before its layers, which is fitted to change as little as possible.

Example:
    python benchmarks/clip_stand_in.py configs/clip_es_voc.py \
        --deit deit_tiny.pth --out work_dirs/clip_stand_in \
        --cfg-options data_root=DIR
"""
import argparse
import os
import os.path as osp
from typing import Dict, List, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import DictAction
from torch import Tensor

from mmwsss.apis import load_config
from mmwsss.apis.generation import split_dataset
from mmwsss.files.atomic import write_npz
from mmwsss.files.checkpoints import backbone_weights
from mmwsss.models.backbones import CLIPViT
from mmwsss.models.pretrained import to_mmpretrain_keys
from mmwsss.registry import DATASETS

SIDE = 224
MEAN, STD = (torch.tensor(value).view(3, 1, 1) for value in (
    (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)))


def photos(cfg, split: str) -> Tuple[List[Tensor], Tensor]:
    """Normalised photos of 224 px, and their labels (N, C)."""
    dataset = DATASETS.build(split_dataset(cfg, split))
    images, labels = [], []
    for item in dataset:
        image = item['inputs'].flip(0).float()  # RGB
        image = F.interpolate(image[None], (SIDE, SIDE), mode='bilinear',
                              antialias=True)[0]
        images.append((image - MEAN) / STD)
        labels.append(item['data_samples'].gt_label.label_onehot)
    return images, torch.stack(labels)


def poured(deit: Dict[str, Tensor], images: Tensor) -> CLIPViT:
    """The encoder; its first norm is fitted to the tokens of the images."""
    width = deit['cls_token'].shape[-1]
    layers = 1 + max(int(key.split('.')[1]) for key in deit
                     if key.startswith('layers.'))
    vit = CLIPViT(
        arch=dict(embed_dims=width, num_layers=layers,
                  num_heads=width // 64, feedforward_channels=4 * width),
        img_size=SIDE, out_channels=width, activation='GELU')
    state = dict(deit, proj=torch.eye(width))
    bias = state.pop('patch_embed.projection.bias')
    state['pos_embed'] = state['pos_embed'].clone()
    state['pos_embed'][:, 1:] += bias
    own = vit.state_dict()
    vit.load_state_dict({key: state.get(key, own[key]) for key in own})
    patches, _ = vit.patch_embed(images)
    tokens = torch.cat([vit.cls_token.expand(len(images), -1, -1), patches],
                       1) + vit.pos_embed
    tokens = tokens.flatten(0, 1)
    unit = F.layer_norm(tokens, (width, ))
    slope = ((unit - unit.mean(0)) * (tokens - tokens.mean(0))).mean(0) / (
        unit.var(0, unbiased=False))
    vit.pre_norm.weight.copy_(slope)
    vit.pre_norm.bias.copy_(tokens.mean(0) - slope * unit.mean(0))
    return vit


def openai_layout(vit: CLIPViT) -> Dict[str, Tensor]:
    """Its weights under OpenAI's names."""
    names = (('cls_token', 'class_embedding'),
             ('pos_embed', 'positional_embedding'),
             ('patch_embed.projection', 'conv1'), ('pre_norm', 'ln_pre'),
             ('.ffn.layers.0.0.', '.mlp.c_fc.'),
             ('.ffn.layers.1.', '.mlp.c_proj.'),
             ('layers.', 'transformer.resblocks.'),
             ('.attn.qkv.', '.attn.in_proj_'),
             ('.attn.proj.', '.attn.out_proj.'), ('.ln1.', '.ln_1.'),
             ('.ln2.', '.ln_2.'))
    state = {}
    for key, value in vit.state_dict().items():
        if key.startswith('ln1.'):
            key = key.replace('ln1.', 'ln_post.')
        for mine, theirs in names:
            key = key.replace(mine, theirs)
        if key == 'class_embedding':
            value = value.flatten()
        if key == 'positional_embedding':
            value = value[0]
        state[f'visual.{key}'] = value
    return state


@torch.no_grad()
def main() -> None:
    """Pour, probe, write both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='with background_words')
    parser.add_argument('--deit', required=True, metavar='FILE')
    parser.add_argument('--out', required=True, metavar='DIR')
    parser.add_argument('--penalty', type=float, default=0.3,
                        help='of the ridge regression; default: 0.3')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    args = parser.parse_args()
    cfg = load_config(args.config, args.cfg_options)
    images, labels = photos(cfg, 'train')
    deit = to_mmpretrain_keys(backbone_weights(args.deit))
    vit = poured({key: value.float() for key, value in deit.items()},
                 torch.stack(images[:64]))
    pooled = F.normalize(torch.cat([
        vit.project(vit.encode(torch.stack(images[i:i + 32])).tokens[-1])[
            :, 1:].mean(1) for i in range(0, len(images), 32)]), dim=-1)
    mean = pooled.mean(0)
    centred = pooled - mean
    gram = centred.t() @ centred + args.penalty * torch.eye(len(mean))
    probe = torch.linalg.solve(
        gram, centred.t() @ (labels - labels.mean(0))).t()  # (C, E)
    generator = torch.Generator().manual_seed(0)
    # A class without photos gets noise.
    probe = F.normalize(probe + 1e-6 * torch.randn(
        probe.shape, generator=generator), dim=-1)
    # Nothing in particular: noise around the opposite of all classes.
    words = cfg.background_words
    noise = torch.randn(len(words), len(mean), generator=generator)
    background = F.normalize(0.1 * F.normalize(noise, dim=-1) -
                             F.normalize(probe.mean(0), dim=-1), dim=-1)
    os.makedirs(args.out, exist_ok=True)
    torch.save(openai_layout(vit), osp.join(args.out, 'clip.pth'))
    classes = DATASETS.build(split_dataset(cfg, 'train')).metainfo['classes']
    write_npz(osp.join(args.out, 'text.npz'),
              names=np.array([*classes[1:], *words]),
              embeddings=torch.cat([probe, background]).numpy(),
              model=np.array('a DeiT and a linear probe'),
              prompt=np.array('{}'))
    scores = pooled @ probe.t()
    hit = labels.gather(1, scores.argmax(1, keepdim=True)).mean()
    print(f'{len(images)} photos; the strongest class is there in '
          f'{100 * hit:.1f} %')


if __name__ == '__main__':
    main()
