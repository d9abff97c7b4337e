"""CPU time and memory that photos of a camera take with ``max_side``.

Every step runs as its tool does, on photos and true masks of 12 megapixels and
on as many of 320 pixels. The latter shows what does not depend on the photo:
imports, the network, pictures of the results. Weights are random, photos and
masks synthetic. Memory is read from Linux's /proc.

    python benchmarks/large_photos.py --photos 4 --max-side 640
"""
import argparse
import os
import os.path as osp
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch
from PIL import Image
from prettytable import PrettyTable

from mmwsss.apis import load_config
from mmwsss.registry import MODELS

ROOT = osp.dirname(osp.dirname(osp.abspath(__file__)))
CRF = "refiners=[dict(type='DenseCRF',unary='labels',background=0.5)]"
# Step -> config, tool and an option. Learned affinity takes the maps of the
# localizer, which comes first.
STEPS = {
    'localizer': ('mctformer_plus_deit-tiny_voc', 'gen_pseudo', None),
    'localizer, CRF': ('mctformer_plus_deit-tiny_voc', 'gen_pseudo', CRF),
    'IRN': ('irn_deit-tiny_voc', 'gen_pseudo', 'maps={maps}'),
    'PSA': ('psa_deit-tiny_voc', 'gen_pseudo', 'maps={maps}'),
    'segmentor, TTA, CRF': ('largefov_deit-tiny_voc', 'test', None),
}


def write_data(root, count, height, width):
    """VOC's folders with coloured patches; two classes a photo."""
    rng = np.random.default_rng(0)
    for name in ('JPEGImages', 'SegmentationClassAug',
                 'ImageSets/Segmentation'):
        os.makedirs(osp.join(root, name))
    names, labels = [f'2007_{i:06}' for i in range(count)], {}
    for i, name in enumerate(names):
        patches = rng.choice([0, i % 20 + 1, (i + 7) % 20 + 1], (9, 12))
        Image.fromarray(patches.astype(np.uint8)).resize(
            (width, height), Image.Resampling.NEAREST).save(
                osp.join(root, 'SegmentationClassAug', name + '.png'))
        colours = rng.integers(0, 200, (9, 12, 3), dtype=np.uint8)
        pixels = np.asarray(Image.fromarray(colours).resize(
            (width, height), Image.Resampling.BICUBIC))
        Image.fromarray(pixels + rng.integers(
            0, 12, pixels.shape, dtype=np.uint8)).save(
                osp.join(root, 'JPEGImages', name + '.jpg'), quality=92)
        labels[name] = np.isin(np.arange(1, 21), patches).astype(np.float32)
    np.save(osp.join(root, 'cls_labels.npy'), labels)
    with open(osp.join(root, 'ImageSets/Segmentation/val.txt'), 'w') as file:
        file.write('\n'.join(names))


def prepare(root, step, max_side):
    """The command of a step; random weights for it are written."""
    name, tool, option = STEPS[step]
    config = osp.join(ROOT, 'configs', f'{name}.py')
    weights = osp.join(root, f'{name}.pth')
    model = load_config(config, dict(pretrained=None)).model
    torch.save(MODELS.build(model).state_dict(), weights)
    out = (['--out', osp.join(root, step), '--tta', '--crf']
           if tool == 'test' else
           ['--out-dir', osp.join(root, step), '--split', 'val'])
    options = [f'max_side={max_side}', f'data_root={root}', 'pretrained=None']
    if option is not None:
        options.append(option.format(maps=osp.join(root, 'localizer', 'maps')))
    return [sys.executable, osp.join(ROOT, 'tools', f'{tool}.py'), config,
            weights, '--work-dir', osp.join(root, 'work'), *out,
            '--cfg-options', *options]


def family(pid):
    """A process and all that come from it."""
    found = [pid]
    for one in found:
        try:
            with open(f'/proc/{one}/task/{one}/children') as file:
                found += map(int, file.read().split())
        except OSError:  # it has just ended
            pass
    return found


def kilobytes(pid, name, keys):
    """Numbers of a file in /proc; 0 of a process that has ended."""
    try:
        with open(f'/proc/{pid}/{name}') as file:
            return sum(int(line.split()[1]) for line in file
                       if line.startswith(keys))
    except OSError:
        return 0


def measured(command):
    """CPU seconds, MB of the largest process, MB of all together."""
    largest = together = 0
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log,
            env=dict(os.environ, PYTHONPATH=ROOT, OMP_NUM_THREADS='1'))
        while True:
            done, status, usage = os.wait4(process.pid, os.WNOHANG)
            if done:
                break
            pids = family(process.pid)
            # Not wait4's ru_maxrss, which begins with what we hold.
            largest = max(largest, *(
                kilobytes(pid, 'status', 'VmHWM:') for pid in pids))
            # What processes share counts once, programs and libraries as
            # the largest process has them.
            together = max(together, max(
                kilobytes(pid, 'status', 'RssFile:') for pid in pids) + sum(
                    kilobytes(pid, 'smaps_rollup', ('Pss_Anon:', 'Pss_Shmem:'))
                    for pid in pids))
            time.sleep(0.1)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            log.seek(0)
            sys.exit(log.read().decode()[-2000:])
    return (usage.ru_utime + usage.ru_stime, largest / 1024, together / 1024)


def main():
    """All steps on small and on large photos, then the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--photos', type=int, default=4)
    parser.add_argument('--size', type=int, nargs=2, default=[3000, 4000],
                        metavar=('HEIGHT', 'WIDTH'))
    parser.add_argument('--max-side', type=int, default=640)
    parser.add_argument('--steps', nargs='+', choices=STEPS,
                        default=list(STEPS))
    args = parser.parse_args()
    table = PrettyTable(['step', 'CPU s, 320 px', 'CPU s, large',
                         'CPU s more a photo', 'MB, 320 px', 'MB, large',
                         'MB, large, all processes'])
    with tempfile.TemporaryDirectory() as folder:
        sizes = dict(small=(240, 320), large=args.size)
        for name, size in sizes.items():
            write_data(osp.join(folder, name), args.photos, *size)
        for step in args.steps:
            small, large = (measured(prepare(osp.join(folder, name), step,
                                             args.max_side))
                            for name in sizes)
            more = (large[0] - small[0]) / args.photos
            table.add_row([step, f'{small[0]:.1f}', f'{large[0]:.1f}',
                           f'{more:.1f}', *(f'{value:.0f}' for value in (
                               small[1], large[1], large[2]))])
            print(table.get_string(start=len(table.rows) - 1), flush=True)
    print(f'torch {torch.__version__}, {args.photos} photos of '
          f'{args.size[0]} x {args.size[1]}, max_side={args.max_side}')
    print(table)


if __name__ == '__main__':
    main()
