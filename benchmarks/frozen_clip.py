#!/usr/bin/env python
"""Maps and a training step on a frozen CLIP, against the published way.

The published way, written plainly: image by image; the attention of every
layer and head is computed and kept; each class has its own pass through the
last layer and its own backward pass; boxes are found with OpenCV, one map
after the other; colours refine image by image. Ours: one batch, one pass, one
vectorized gradient. Both sides share weights and inputs, are checked to give
the same maps, and are timed in this run, each in a process of its own.

    python benchmarks/frozen_clip.py --arch base --size 320 --batch 4
"""
import argparse
import json
import os.path as osp
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from unittest import mock

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from mmengine.registry import init_default_scope
from mmengine.structures import LabelData
from mmseg.structures import SegDataSample
from prettytable import PrettyTable

from mmwsss.models import FrozenCLIPSegmentor
from mmwsss.models.segmentors import frozen_clip
from mmwsss.ops.class_aware_affinity import transition_matrix
from mmwsss.ops.min_max import min_max

CLASSES, WORDS, THRESHOLD, LAYERS = 20, 25, 0.4, 8


def build(arch, folder):
    """WeCLIP with random weights and texts."""
    generator = torch.Generator().manual_seed(0)
    path = osp.join(folder, 'text.npz')
    words = [f'word {i}' for i in range(WORDS)]
    np.savez(path, names=[*(f'class {i}' for i in range(CLASSES)), *words],
             embeddings=torch.randn(CLASSES + WORDS, 512,
                                    generator=generator).numpy(),
             model='random', prompt='{}')
    torch.manual_seed(0)
    model = FrozenCLIPSegmentor(
        dict(type='CLIPViT', arch=arch, img_size=224),
        dict(type='mmseg.SegDataPreProcessor', mean=[123.675, 116.28, 103.53],
             std=[58.395, 57.12, 57.375], bgr_to_rgb=True),
        dict(type='TransformerHead', in_channels=256), num_classes=CLASSES,
        class_evidence=dict(type='TextGradCAM', text_embeddings=path,
                            background=words),
        spread=dict(threshold=THRESHOLD, layers=LAYERS),
        fusion=dict(num_levels=11), refine_after=10**6,
        test_cfg=dict(scales=(1.0, ), flip=False))
    torch.nn.init.normal_(model.backbone.proj, std=0.04)
    return model


def plain_layer(layer, tokens):
    """A layer whose attention is computed and handed out."""
    attn = layer.attn
    batch, length, _ = tokens.shape
    query, key, value = attn.qkv(tokens).reshape(
        batch, length, 3, attn.num_heads, -1).permute(2, 0, 3, 1, 4)
    weights = (query @ key.transpose(-2, -1) * query.shape[-1]**-0.5).softmax(
        -1)
    return attn.proj((weights @ value).transpose(1, 2).flatten(2)), weights


@torch.enable_grad()
def plain_maps(model, inputs, labels):
    """Maps image by image and class by class."""
    vit, head, maps = model.backbone, model.class_evidence, []
    for image, label in zip(inputs, labels):
        with torch.no_grad():
            patches, grid = vit.patch_embed(image[None])
            tokens = torch.cat([vit.cls_token, patches], 1)
            tokens = vit.pre_norm(tokens + type(vit).resize_pos_embed(
                vit.pos_embed, vit.patch_resolution, grid, 'bilinear', 1))
            kept = []
            for layer in vit.layers[:-1]:
                added, weights = plain_layer(layer, layer.ln1(tokens))
                tokens = tokens + added
                tokens = layer.ffn(layer.ln2(tokens), identity=tokens)
                kept.append(weights)
        present = label.nonzero().flatten()
        text = torch.cat([head.text[present], head.text[CLASSES:]])
        found = torch.zeros(CLASSES, *grid)
        for slot, index in enumerate(present):
            layer = vit.layers[-1]
            normed = layer.ln1(tokens).detach().requires_grad_()
            added, weights = plain_layer(layer, normed)
            last = tokens + added
            last = layer.ffn(layer.ln2(last), identity=last)
            pooled = F.normalize(vit.project(last)[:, 1:].mean(1), dim=-1)
            shown = (head.scale * pooled @ text.t()).softmax(-1)
            gradient, = torch.autograd.grad(shown[0, slot], normed)
            channel = gradient[0, 1:].mean(0)
            one = min_max((normed.detach()[0, 1:] @ channel).relu().view(
                *grid))
            attention = torch.stack([*kept, weights.detach()])
            mean = attention.mean(2)[-LAYERS:, 0, 1:, 1:].mean(0)
            levels = (254.99 * one).byte().numpy()
            _, bright = cv2.threshold(
                levels, int(THRESHOLD * levels.max()), 255, cv2.THRESH_BINARY)
            contours, _ = cv2.findContours(bright, cv2.RETR_TREE,
                                           cv2.CHAIN_APPROX_SIMPLE)
            mask = torch.zeros(*grid)
            for contour in contours:
                x, y, width, height = cv2.boundingRect(contour)
                mask[y:min(y + height, grid[0] - 1),
                     x:min(x + width, grid[1] - 1)] = 1
            spread = transition_matrix(mean) * mask.view(1, -1)
            found[index] = min_max((spread @ one.flatten()).view(*grid))
        maps.append(found)
    return torch.stack(maps)


def plain_labels(images, cams, onehot, inside, **options):
    """Image by image."""
    return torch.cat([frozen_clip_labels(
        images[i:i + 1], cams[i:i + 1], onehot[i:i + 1], inside[i:i + 1],
        **options) for i in range(len(images))])


frozen_clip_labels = frozen_clip.competing_labels


def measure(side, args, folder):
    """Times of maps and of training steps of one side, as JSON."""
    init_default_scope('mmwsss')
    torch.set_num_threads(args.threads)
    model = build(args.arch, folder).train()
    torch.manual_seed(1)
    inputs = torch.randn(args.batch, 3, args.size, args.size)
    onehot = torch.zeros(args.batch, CLASSES)
    onehot[:, 3] = onehot[:, 7] = onehot[::2, 11] = 1
    samples = []
    for label in onehot:
        sample = SegDataSample(metainfo=dict(img_shape=inputs.shape[2:]))
        sample.set_field(LabelData(label_onehot=label), 'gt_label')
        samples.append(sample)

    def ours():
        return model.responses(model.encode(inputs), onehot)[0]

    maps = ours if side == 'ours' else lambda: plain_maps(
        model, inputs, onehot)
    if side == 'plain':
        difference = (plain_maps(model, inputs, onehot) - ours()).abs().max()
        assert difference < 1e-2, difference
        model.responses = lambda encoded, _=None: (
            plain_maps(model, inputs, onehot), )
    times = dict(maps=[], step=[])
    labels = plain_labels if side == 'plain' else frozen_clip_labels
    with mock.patch.object(frozen_clip, 'competing_labels', labels):
        for _ in range(args.repeats + 1):
            start = time.perf_counter()
            maps()
            times['maps'].append(time.perf_counter() - start)
            start = time.perf_counter()
            sum(model.loss(inputs, samples).values()).backward()
            model.zero_grad()
            times['step'].append(time.perf_counter() - start)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(dict(
        {part: statistics.median(values[1:])
         for part, values in times.items()}, memory=memory)))


def main():
    """Both sides, then the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--arch', default='base')
    parser.add_argument('--size', type=int, default=320)
    parser.add_argument('--batch', type=int, default=4)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--side', help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.side:
        with tempfile.TemporaryDirectory() as folder:
            measure(args.side, args, folder)
        return
    results = {}
    for side in ('plain', 'ours'):
        output = subprocess.run(
            [sys.executable, __file__, *sys.argv[1:], '--side', side],
            check=True, stdout=subprocess.PIPE, text=True).stdout
        results[side] = json.loads(output.strip().splitlines()[-1])
    table = PrettyTable(['what', 'plain', 'ours', 'ratio'])
    for part, unit in (('maps', 's'), ('step', 's'), ('memory', 'MB')):
        slow, fast = (results[side][part] for side in ('plain', 'ours'))
        table.add_row([f'{part}, {unit}', f'{slow:.2f}', f'{fast:.2f}',
                       f'{slow / fast:.2f}'])
    print(f'torch {torch.__version__}, {args.threads} threads, {args.arch}, '
          f'{args.size} px, batch {args.batch}')
    print(table)


if __name__ == '__main__':
    main()
