"""One training step of ToCo, split by part, against the obvious ways.

The obvious multi-scale maps are those of published ViT code: attention
computed explicitly and every attention matrix kept until the end of a forward
pass, maps of all classes. The obvious refinement goes image by image, once
for each background. Both sides share weights and inputs and are timed in this
run; memory is the peak of the process, in one process a side.

    python benchmarks/toco_step.py --arch deit-small --size 448 --batch 2
"""
import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from unittest import mock

import torch
import torch.nn.functional as F
from mmengine.registry import init_default_scope
from mmengine.structures import LabelData
from mmseg.structures import SegDataSample
from prettytable import PrettyTable

from mmwsss.models import ToCo
from mmwsss.ops import refined_labels

PARTS = ('multi-scale maps', 'refined labels', 'forward and losses',
         'backward')


def build(arch):
    """ToCo on a ViT with random weights."""
    return ToCo(
        dict(type='TokenViT', arch=arch, img_size=224),
        dict(type='mmseg.SegDataPreProcessor', mean=[123.675, 116.28, 103.53],
             std=[58.395, 57.12, 57.375], bgr_to_rgb=True),
        dict(type='LargeFOVHead'), num_classes=20)


def explicit_layer(layer, tokens, kept):
    """A block whose attention is computed and kept."""
    attn = layer.attn
    batch, length, _ = tokens.shape
    query, key, value = attn.qkv(layer.ln1(tokens)).reshape(
        batch, length, 3, attn.num_heads, -1).permute(2, 0, 3, 1, 4)
    weights = (query @ key.transpose(-2, -1) * query.shape[-1]**-0.5).softmax(
        -1)
    kept.append(weights)
    output = (weights @ value).transpose(1, 2).flatten(2)
    tokens = tokens + attn.proj(output)
    return layer.ffn(layer.ln2(tokens), identity=tokens)


def obvious_maps(model, inputs):
    """Maps of all classes at three scales, every attention kept."""
    vit, total = model.backbone, 0
    size = inputs.shape[2:]
    for scale in (1.0, 0.5, 1.5):
        scaled = F.interpolate(inputs, scale_factor=scale, mode='bilinear')
        both = torch.cat([scaled, scaled.flip(-1)])
        patches, grid = vit.patch_embed(both)
        tokens = torch.cat([vit.cls_token.expand(len(both), -1, -1), patches],
                           dim=1)
        tokens = tokens + type(vit).resize_pos_embed(
            vit.pos_embed, vit.patch_resolution, grid, vit.interpolate_mode,
            1)
        kept = []
        for i, layer in enumerate(vit.layers):
            tokens = explicit_layer(layer, tokens, kept)
            if i == len(vit.layers) - 3:
                aux = tokens
        maps = [head(x[:, 1:].transpose(1, 2).unflatten(2, grid)) for head, x
                in ((model.classifier, vit.ln1(tokens)),
                    (model.aux_classifier, aux))]
        maps = F.interpolate(torch.cat(maps, dim=1), size, mode='bilinear')
        plain, mirrored = maps.chunk(2)
        total = total + torch.maximum(plain, mirrored.flip(-1)).relu()
    total = total - total.amin((2, 3), keepdim=True)
    total = total / (total.amax((2, 3), keepdim=True) + 1e-5)
    return total.chunk(2, dim=1)


def obvious_labels(images, cams, onehot, low, high, inside):
    """Image by image, once for each background."""
    labels = []
    for i in range(len(images)):
        one = slice(i, i + 1)
        strong = refined_labels(images[one], cams[one], onehot[one], high,
                                high, inside[one])
        weak = refined_labels(images[one], cams[one], onehot[one], low, low,
                              inside[one])
        label = torch.where(strong == 0, 255, strong)
        labels.append(torch.where((strong == 0) & (weak == 0), 0, label))
    return torch.cat(labels)


@contextmanager
def clock(times, part):
    """Add the time of a part."""
    start = time.perf_counter()
    yield
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    times[part] = times.get(part, 0) + time.perf_counter() - start


def steps(side, args):
    """Times of some training steps of one side; prints them as JSON."""
    init_default_scope('mmwsss')
    torch.manual_seed(0)
    torch.set_num_threads(args.threads)
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    model = build(args.arch).to(device).train()
    inputs = torch.randn(args.batch, 3, args.size, args.size, device=device)
    onehot = torch.zeros(args.batch, 20, device=device)
    onehot[:, 3] = onehot[::2, 7] = 1
    samples = []
    for label in onehot:
        sample = SegDataSample(metainfo=dict(img_shape=inputs.shape[2:]))
        sample.set_field(LabelData(label_onehot=label), 'gt_label')
        for name in ('second_view', 'local_view'):
            sample.set_field(torch.randint(
                0, 255, inputs.shape[1:], device=device).byte(), name)
        samples.append(sample)
    maps = model.multi_scale_maps
    if side == 'obvious':
        def maps(images, *_):
            with torch.no_grad():
                return obvious_maps(model, images)
    refine = obvious_labels if side == 'obvious' else refined_labels
    rows = []
    for _ in range(args.repeats + 1):
        times = {}

        def timed(part, function, times=times):
            def call(*arguments):
                with clock(times, part):
                    return function(*arguments)
            return call

        model.multi_scale_maps = timed('multi-scale maps', maps)
        with mock.patch(
                'mmwsss.models.segmentors.single_stage.refined_labels',
                timed('refined labels', refine)):
            with clock(times, 'forward and losses'):
                losses = model.loss(inputs, samples)
        times['forward and losses'] -= (times['multi-scale maps'] +
                                        times['refined labels'])
        with clock(times, 'backward'):
            sum(losses.values()).backward()
        model.zero_grad()
        rows.append(times)
    result = {part: statistics.median(row[part] for row in rows[1:])
              for part in PARTS}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if torch.cuda.is_available():
        memory = torch.cuda.max_memory_allocated() / 2**20
    print(json.dumps(dict(result, memory=memory)))


def main():
    """Both sides, each in a process of its own, then the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--arch', default='deit-small')
    parser.add_argument('--size', type=int, default=448)
    parser.add_argument('--batch', type=int, default=2)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--side', help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.side:
        steps(args.side, args)
        return
    results = {}
    for side in ('obvious', 'ours'):
        output = subprocess.run(
            [sys.executable, __file__, *sys.argv[1:], '--side', side],
            check=True, capture_output=True, text=True).stdout
        results[side] = json.loads(output.strip().splitlines()[-1])
    table = PrettyTable(['part', 'obvious, s', 'ours, s', 'ratio'])
    for part in PARTS:
        slow, fast = (results[side][part] for side in ('obvious', 'ours'))
        table.add_row([part, f'{slow:.3f}', f'{fast:.3f}',
                       f'{slow / fast:.2f}'])
    slow, fast = (sum(results[side][part] for part in PARTS)
                  for side in ('obvious', 'ours'))
    table.add_row(['whole step', f'{slow:.3f}', f'{fast:.3f}',
                   f'{slow / fast:.2f}'])
    print(f'torch {torch.__version__}, {args.threads} threads, {args.arch}, '
          f'{args.size} px, batch {args.batch}')
    print(table)
    print('peak memory, MB: obvious {:.0f}, ours {:.0f}'.format(
        results['obvious']['memory'], results['ours']['memory']))


if __name__ == '__main__':
    main()
