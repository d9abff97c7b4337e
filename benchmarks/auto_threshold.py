r"""How near the automatic background threshold comes to the best one.

Takes folders of ``tools/gen_pseudo.py`` that were scored with true masks, and
chooses a threshold from their maps and the photos alone::

    python benchmarks/auto_threshold.py \
        "mmct=work_dirs/compare/mmct_*/seed_*/pseudo_*" \
        "mctformer=work_dirs/compare/mctformer_*/seed_*/pseudo_*" \
        --photos VOC_SUBSET/JPEGImages

Below the table stands the one fixed threshold that would lose least over all
methods, each method counting the same.
"""
import argparse
import glob
import os.path as osp
import statistics
import time

import numpy as np
import torch
from prettytable import PrettyTable, TableStyle

from mmwsss.evaluation import AutoThreshold
from mmwsss.files.json_files import read_json
from mmwsss.files.maps import read_map
from mmwsss.files.photos import image_name


def chosen(folder, photos, thresholds):
    """The automatic threshold of a folder, and CPU seconds a photo."""
    auto = AutoThreshold(thresholds)
    paths = sorted(glob.glob(osp.join(folder, 'maps', '*.npz')))
    files = map(read_map, paths)
    seconds = 0.
    for path, file in zip(paths, files):
        names = [osp.join(folder, image_name(path) + '.jpg')
                 for folder in photos]
        photo = next(filter(osp.isfile, names), names[0])
        start = time.process_time()
        auto.add(auto.read(photo, file))
        seconds += time.process_time() - start
    return auto.choose(), seconds / max(auto.photos, 1), auto.photos


def main():
    """Choose for each folder; print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('folders', nargs='+', metavar='METHOD=FOLDER',
                        help='a method and its results; may hold a *')
    parser.add_argument('--photos', nargs='+', required=True, metavar='DIR',
                        help='where the JPEG photos are')
    args = parser.parse_args()
    torch.set_num_threads(1)
    table = PrettyTable(['maps', 'photos', 'best', 'mIoU', 'auto',
                         'mIoU at auto', 'loss', 'ms/photo'])
    table.set_style(TableStyle.MARKDOWN)
    table.align['maps'] = 'l'
    losses, gaps = {}, {}
    for item in args.folders:
        method, _, pattern = item.partition('=')
        for folder in sorted(glob.glob(pattern)):
            curve = read_json(osp.join(folder, 'scores.json'))['mIoU_curve']
            grid, values = list(map(float, curve)), list(curve.values())
            used, seconds, count = chosen(folder, args.photos, grid)
            best, value = max(values), values[grid.index(used)]
            table.add_row([
                f'{method} {"/".join(folder.split("/")[-2:])}', count,
                f'{grid[values.index(best)]:.2f}', f'{best:.1f}',
                f'{used:.2f}', f'{value:.1f}', f'{best - value:.1f}',
                f'{1000 * seconds:.0f}'])
            print(table.get_string().splitlines()[-1], flush=True)
            gaps.setdefault(method, []).append(best - value)
            losses.setdefault(method, []).append(best - np.array(values))
    print(table)
    by_method = np.stack([np.mean(rows, 0) for rows in losses.values()])
    worst = np.stack([np.max(rows, 0) for rows in losses.values()]).max(0)
    fixed = int(by_method.mean(0).argmin())
    print(f'lost on average over {len(losses)} methods, and at worst: auto '
          f'{statistics.mean(map(statistics.mean, gaps.values())):.2f}, '
          f'{max(map(max, gaps.values())):.2f}; the best fixed threshold '
          f'{grid[fixed]:.2f}: {by_method.mean(0)[fixed]:.2f}, '
          f'{worst[fixed]:.2f}')


if __name__ == '__main__':
    main()
