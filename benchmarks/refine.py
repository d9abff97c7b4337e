"""Time refinement and evaluation against the obvious ways to do them.

All pairs are timed in this run, on synthetic images, and their results are
compared. ``python benchmarks/refine.py`` prints the table.
"""
import argparse
import copy
import os
import os.path as osp
import statistics
import tempfile
import time
from unittest import mock

import torch
from mmengine.hooks import Hook
from PIL import Image
from prettytable import PrettyTable

from mmwsss.apis import generate_pseudo_labels, load_config
from mmwsss.ops import random_walk, sweep_histogram, threshold_sweep
from mmwsss.ops.random_walk import edge_affinity, search_offsets
from mmwsss.refiners import DenseCRF
from mmwsss.registry import MODELS

ROOT = osp.dirname(osp.dirname(osp.abspath(__file__)))


def seconds(function, repeats):
    """Median time of a call, after one to warm up, and its result."""
    result = function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return statistics.median(times), result


def photo(height, width):
    """Smooth colours with noise, (3, H, W) uint8."""
    coarse = torch.rand(1, 3, 8, 8)
    image = torch.nn.functional.interpolate(
        coarse, (height, width), mode='bilinear')[0] * 200
    return (image + torch.randint(0, 20, image.shape)).byte()


def dense_walk(maps, edge, radius=5, beta=10, exp_times=8):
    """IRN's way: square the (N, N) matrix ``exp_times`` times."""
    height, width = edge.shape
    affinity = edge_affinity(edge, radius)**beta
    nodes = torch.arange(height * width).view(height, width)
    matrix = torch.eye(height * width)
    for (y, x), pair in zip(search_offsets(radius), affinity):
        rows = slice(0, height - y)
        columns = slice(max(0, -x), width - max(0, x))
        source = nodes[rows, columns]
        target = source + y * width + x
        matrix[source, target] = pair[rows, columns]
        matrix[target, source] = pair[rows, columns]
    matrix /= matrix.sum(0, keepdim=True)
    for _ in range(exp_times):
        matrix = matrix @ matrix
    return ((maps * (1 - edge)).flatten(1) @ matrix).view(maps.shape)


def one_by_one(maps, labels, target, thresholds, num_classes):
    """The published way: one confusion count a threshold."""
    curve = []
    for threshold in thresholds:
        score, winner = maps.max(0)
        mask = torch.where(score > threshold, labels[winner] + 1, 0)
        true = target[mask == target].bincount(minlength=num_classes + 1)
        union = (mask.flatten().bincount(minlength=num_classes + 1)
                 + target.flatten().bincount(minlength=num_classes + 1) - true)
        curve.append((true / union).nanmean())
    return torch.stack(curve)


def main():
    """All pairs, then the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--images', type=int, default=60)
    parser.add_argument('--size', type=int, nargs=2, default=[240, 320])
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    height, width = args.size
    table = PrettyTable(['what', 'obvious', 's', 'ours', 's ', 'ratio',
                         'largest difference'])

    def add(what, names, ours, theirs, slow_repeats=None):
        slow, want = seconds(theirs, slow_repeats or args.repeats)
        fast, got = seconds(ours, args.repeats)
        table.add_row([what, names[0], f'{slow:.3f}', names[1], f'{fast:.3f}',
                       f'{slow / fast:.1f}x',
                       f'{(got.cpu() - want.cpu()).abs().max():.1e}'])

    image = photo(height, width)
    maps = torch.rand(2, height, width)
    labels = torch.tensor([3, 7])
    crf = {name: DenseCRF(backend=name) for name in ('torch', 'pydensecrf')}
    add(f'dense CRF {height}x{width}, 3 labels', ('pydensecrf', 'torch, CPU'),
        lambda: crf['torch'](image, maps, labels),
        lambda: crf['pydensecrf'](image, maps, labels))
    if torch.cuda.is_available():
        on_gpu = [x.cuda() for x in (image, maps, labels)]
        add(f'dense CRF {height}x{width}, 3 labels',
            ('pydensecrf', 'torch, GPU'), lambda: crf['torch'](*on_gpu),
            lambda: crf['pydensecrf'](image, maps, labels))
    edge = torch.rand(47, 63) * 0.5
    small = torch.rand(2, 47, 63)
    add('random walk 47x63, 256 steps', ('dense power', 'sparse steps'),
        lambda: random_walk(small, edge), lambda: dense_walk(small, edge), 1)
    thresholds = torch.arange(60) / 100
    target = torch.randint(0, 21, (height, width))
    scores = torch.rand(2, height, width)

    def one_pass():
        histogram = sweep_histogram(scores, labels, target, thresholds, 20)
        return threshold_sweep(histogram, thresholds).mean_iou(range(21))

    add('mIoU at 60 thresholds', ('one by one', 'one pass'), one_pass,
        lambda: one_by_one(scores, labels, target, thresholds, 20))
    single = thresholds[30:31]

    def one_threshold():
        histogram = sweep_histogram(scores, labels, target, single, 20)
        return threshold_sweep(histogram, single).mean_iou(range(21))

    few, _ = seconds(one_threshold, args.repeats)
    many, _ = seconds(one_pass, args.repeats)
    edge, maps = torch.rand(94, 125) * 0.5, torch.rand(2, 94, 125)
    walk, _ = seconds(lambda: random_walk(maps, edge), args.repeats)
    print(f'torch {torch.__version__}, {args.threads} threads')
    print(table)
    print(f'random walk 94x125, 256 steps: {walk:.3f} s (the dense matrix '
          f'would take {4 * (94 * 125)**2 / 2**20:.0f} MB)')
    print(f'60 thresholds take {many / few:.2f} times as long as one')
    with tempfile.TemporaryDirectory() as folder:
        generation(folder, args.images)


def write_photos(folder, count, height, width):
    """Photos with two labels each, and their list, in VOC's layout."""
    os.makedirs(osp.join(folder, 'JPEGImages'))
    rows = ['image,labels']
    for i in range(count):
        pixels = photo(height, width).permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(
            osp.join(folder, 'JPEGImages', f'{i:04}.jpg'))
        rows.append(f'{i:04}.jpg,cat;dog')
    with open(osp.join(folder, 'labels.csv'), 'w') as file:
        file.write('\n'.join(rows))


def localizer(folder, **options):
    """Config of MMCT on a DeiT-tiny with random weights, and a checkpoint."""
    cfg = load_config(osp.join(ROOT, 'configs', 'mmct_deit-tiny_voc.py'),
                      {'data_root': folder}, osp.join(folder, 'work'))
    cfg.model.textual_tokens.text_embeddings = 'learned'
    cfg.model.backbone.pretrained = None
    dataset = cfg.train_dataloader.dataset
    dataset.update(ann_file='', label_source=dict(type='TableLabels',
                                                  file='labels.csv'))
    cfg.log_level = 'WARNING'
    cfg.update(options)
    checkpoint = osp.join(folder, 'random.pth')
    torch.save(MODELS.build(copy.deepcopy(cfg.model)).state_dict(), checkpoint)
    return cfg, checkpoint


def generation(folder, count):
    """Images a second, and memory after few and after many images."""
    write_photos(folder, count, 240, 320)
    table = PrettyTable(['generation, 240x320, DeiT-tiny', 'images/s'])
    crf = [dict(type='DenseCRF', unary='labels')]
    for name, options in (
            ('no refinement', {}),
            ('no refinement, 4 photos at a time', dict(localize_batch_size=4)),
            ('CRF in the same process', dict(refiners=crf, refine_workers=0)),
            ('CRF in a pool', dict(refiners=crf,
                                   refine_workers=os.cpu_count()))):
        cfg, checkpoint = localizer(folder, **options)
        start = time.perf_counter()
        generate_pseudo_labels(cfg, checkpoint,
                               osp.join(folder, 'out', name), threshold=0.4)
        table.add_row([name, f'{count / (time.perf_counter() - start):.2f}'])
    print(table)
    small = osp.join(folder, 'small')
    write_photos(small, 1000, 64, 96)
    memory = MemoryHook()
    with mock.patch('mmwsss.apis.generation.ImageProgressHook',
                    lambda advance: memory):
        generate_pseudo_labels(*localizer(small), osp.join(small, 'out'),
                               threshold=0.4)
    print(f'resident memory after 100 images {memory.at[100]:.0f} MB, after '
          f'1000 images {memory.at[1000]:.0f} MB')


class MemoryHook(Hook):
    """Resident memory of the process, in MB, by images done."""

    def __init__(self):
        self.at = {}

    def after_test_iter(self, runner, batch_idx, data_batch=None,
                        outputs=None):
        """Read Linux's counter of resident pages."""
        with open('/proc/self/statm') as file:
            pages = int(file.read().split()[1])
        self.at[batch_idx + 1] = pages * os.sysconf('SC_PAGE_SIZE') / 2**20


if __name__ == '__main__':
    main()
