#!/usr/bin/env python
"""List the image-level labels that contradict what the photos look like."""
import os.path as osp

from mmwsss import apis
from mmwsss.apis.command_line import (
    Parser,
    add_config_options,
    at_least,
    run,
)


def main() -> None:
    """Parse, judge, say where the list is."""
    parser = Parser(description=__doc__)
    parser.add_argument('config', help='config of a localizer')
    parser.add_argument('--checkpoint', metavar='FILE',
                        help='weights of the trained localizer, whose scores '
                        'are used; default: features of the weights that the '
                        'config starts from')
    parser.add_argument('--split', default='train',
                        help="'train', 'val', 'test' or a list of images; "
                        'default: train')
    parser.add_argument('--folds', type=at_least(2), default=5,
                        help='default: %(default)s')
    parser.add_argument('--seed', type=at_least(0), default=0,
                        help='default: %(default)s')
    parser.add_argument('--share', type=float, default=0.05,
                        help='at most this share of the photos is listed; '
                        'default: %(default)s')
    parser.add_argument('--out-dir', metavar='DIR', help='default: '
                        'doubtful_labels in the work folder of the config')
    add_config_options(parser, 'override settings of the config, e.g. '
                       'data_root=DIR')
    args = parser.parse_args()
    cfg = apis.load_config(args.config, args.cfg_options)
    out_dir = args.out_dir or osp.join(cfg.work_dir, 'doubtful_labels')
    report = apis.find_doubtful_labels(cfg, out_dir, args.checkpoint,
                                       args.split, args.folds, args.seed,
                                       args.share)
    for row in report['rows'][:10]:
        what = 'tagged' if row['tagged'] else 'not tagged'
        print(f'{row["image"]}: {what} {row["class"]} '
              f'(doubt {row["doubt"]:.3f})')
    photos = len({row['image'] for row in report['rows']})
    print(f'{len(report["rows"])} labels to look at, on {photos} of '
          f'{report["photos"]} photos: '
          f'{osp.join(out_dir, "doubtful_labels.csv")}')
    if report['caution']:
        print(report['caution'])


if __name__ == '__main__':
    run(main)
