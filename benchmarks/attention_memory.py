"""Our class-token ViT against a plain one that keeps all attention maps.

Both have the same weights. The plain one computes attention explicitly and
stacks the maps of all layers and heads, (layers, B, heads, L, L), as published
class-token code does; ours trains with scaled_dot_product_attention and, when
localizing, keeps one sum of class-to-patch and one of patch-to-patch
attention. Every case runs in a process of its own; extra memory is the peak
above what the process held before the first step. The two sides alternate.

    python benchmarks/attention_memory.py --arch deit-small --threads 2
"""
import argparse
import json
import resource
import statistics
import subprocess
import sys
import time

import torch
from prettytable import PrettyTable

from mmwsss.models import ClassTokenViT

TASKS = ('train', 'localize')


class PlainViT(ClassTokenViT):
    """Keeps the attention of every layer and head until the end."""

    def forward(self, images, attention_layers=0, affinity_layers=0):
        """Class tokens, patch tokens and both mean attentions."""
        patches, grid = self.patch_embed(images)
        tokens = torch.cat([
            self.visual_tokens.expand(len(images), -1, -1),
            patches + self.resized_pos_embed(grid)], dim=1)
        kept = []
        for layer in self.layers:
            attn = layer.attn
            B, L, _ = tokens.shape
            qkv = attn.qkv(layer.ln1(tokens)).reshape(
                B, L, 3, attn.num_heads, attn.head_dims)
            query, key, value = qkv.permute(2, 0, 3, 1, 4)
            weights = (query @ key.transpose(-2, -1)
                       * attn.head_dims**-0.5).softmax(-1)
            kept.append(weights)
            output = (weights @ value).transpose(1, 2).flatten(2)
            tokens = tokens + attn.proj(output)
            tokens = layer.ffn(layer.ln2(tokens), identity=tokens)
        attention = torch.stack(kept)  # (layers, B, heads, L, L)
        T = self.num_classes
        return (tokens, attention[-6:, ..., :T, T:].mean((0, 2)),
                attention[..., T:, T:].mean((0, 2)))


def step(model, images, task):
    """One training step or one localization; returns maps or None."""
    if task == 'train':
        out = model(images)
        tokens = (out[0] if isinstance(out, tuple) else torch.cat(
            [out.class_tokens[-1], out.patch_tokens], dim=1))
        tokens.square().mean().backward()
        model.zero_grad()
        return None
    with torch.no_grad():
        out = model(images, attention_layers=6,
                    affinity_layers=model.num_layers)
        if isinstance(out, tuple):
            return out[1] @ out[2].transpose(1, 2)
        return out.class_attention @ out.patch_affinity.transpose(1, 2)


def peak_memory(device):
    """Peak memory of this process so far, in MB."""
    if device == 'cuda':
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def measure(args):
    """One case, in a process of its own; prints JSON."""
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    cls = PlainViT if args.side == 'plain' else ClassTokenViT
    model = cls(num_classes=args.class_tokens, arch=args.arch,
                img_size=224).to(args.device)
    model.train(args.task == 'train')
    images = torch.randn(args.batch, 3, args.size, args.size,
                         device=args.device)
    before = peak_memory(args.device)
    maps = step(model, images, args.task)
    extra = peak_memory(args.device) - before
    times = []
    for _ in range(args.repeats):
        start = time.perf_counter()
        step(model, images, args.task)
        if args.device == 'cuda':
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    checksum = None if maps is None else maps.double().sum().item()
    print(json.dumps(dict(seconds=times, extra=extra, checksum=checksum)))


def run_case(args, side, task, size):
    """Start a process for one case."""
    command = [sys.executable, __file__, '--side', side, '--task', task,
               '--size', str(size)]
    for name in ('arch', 'batch', 'repeats', 'threads', 'device',
                 'class_tokens'):
        command += [f'--{name.replace("_", "-")}', str(getattr(args, name))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main():
    """All cases, then the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--arch', default='deit-small')
    parser.add_argument('--batch', type=int, default=2)
    parser.add_argument('--class-tokens', type=int, default=20)
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--rounds', type=int, default=2)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--device', default='cpu', choices=['cpu', 'cuda'])
    parser.add_argument('--sizes', type=int, nargs='+', default=[224, 448])
    parser.add_argument('--side', choices=['plain', 'ours'],
                        help=argparse.SUPPRESS)
    parser.add_argument('--task', choices=TASKS, help=argparse.SUPPRESS)
    parser.add_argument('--size', type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.side:
        return measure(args)
    table = PrettyTable(['task', 'px', 'plain img/s', 'ours img/s', 'speed-up',
                         'plain extra MB', 'ours extra MB', 'memory'])
    for task in TASKS:
        for size in args.sizes:
            seconds = dict(plain=[], ours=[])
            extra = {}
            for _ in range(args.rounds):
                for side in seconds:
                    case = run_case(args, side, task, size)
                    seconds[side] += case['seconds']
                    extra[side] = case['extra']
            rate = {side: args.batch / statistics.median(values)
                    for side, values in seconds.items()}
            table.add_row([
                task, size, f'{rate["plain"]:.2f}', f'{rate["ours"]:.2f}',
                f'{rate["ours"] / rate["plain"]:.2f}x',
                f'{extra["plain"]:.0f}', f'{extra["ours"]:.0f}',
                f'{extra["ours"] / extra["plain"]:.2f}x'])
    print(f'{args.arch}, batch {args.batch}, {args.threads} threads, '
          f'{args.device}, torch {torch.__version__}')
    print(table)
    return None


if __name__ == '__main__':
    main()
